using System.Threading.Channels;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Tests.Components;

/// <summary>What every live component is owed: hints become looks, faults become references, nothing outlives it.</summary>
public sealed class LiveComponentTests : ComponentTest
{
    [Fact]
    public async Task A_hint_makes_it_look_again_and_redraw()
    {
        var hints = Channel.CreateUnbounded<int>();
        var page = Render<Page>(p => p.Add(c => c.Hints, hints.Reader));

        await hints.Writer.WriteAsync(1, Xunit.TestContext.Current.CancellationToken);

        page.WaitForAssertion(() => Assert.Equal("1", page.Markup));
    }

    [Fact]
    public async Task A_storm_of_hints_is_at_most_one_look_per_quarter_of_a_second()
    {
        var hints = Channel.CreateUnbounded<int>();
        var page = Render<Page>(p => p.Add(c => c.Hints, hints.Reader));
        await hints.Writer.WriteAsync(0, Xunit.TestContext.Current.CancellationToken);
        page.WaitForAssertion(() => Assert.Equal("1", page.Markup));

        for (var i = 0; i < 100; i++)
        {
            await hints.Writer.WriteAsync(i, Xunit.TestContext.Current.CancellationToken);
        }

        while (hints.Reader.Count > 0)
        {
            await Task.Yield();
        }

        Assert.Equal("1", page.Markup);
        Clock.Advance(LiveComponent.BetweenLooks);
        page.WaitForAssertion(() => Assert.Equal("2", page.Markup));
    }

    [Fact]
    public async Task What_it_started_has_ended_when_it_is_disposed_of()
    {
        var hints = Channel.CreateUnbounded<int>();
        var page = Render<Page>(p => p.Add(c => c.Hints, hints.Reader));

        await page.Instance.DisposeAsync();

        Assert.True(page.Instance.Ended);
    }

    [Fact]
    public async Task A_fault_of_a_handler_comes_back_as_a_refusal_with_a_reference()
    {
        var page = Render<Page>(p => p.Add(c => c.Hints, Channel.CreateUnbounded<int>().Reader));

        var result = await page.Instance.FailAsync();

        var fault = Assert.IsType<PortalFault>(result.Refusal);
        Assert.Contains(fault.Reference, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    private sealed class Page : LiveComponent
    {
        private int _looks;

        [Parameter]
        public required ChannelReader<int> Hints { get; set; }

        public bool Ended { get; private set; }

        public Task<Result<int>> FailAsync() => AskAsync<int>(_ => throw new InvalidOperationException("secret of the database"));

        protected override void OnInitialized()
        {
            Watch(ct => Hints.ReadAllAsync(ct), () =>
            {
                _looks++;
                return Task.CompletedTask;
            });
            Keep(async ct =>
            {
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                }
                finally
                {
                    Ended = true;
                }
            });
        }

        protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, _looks == 0 ? "" : _looks.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
