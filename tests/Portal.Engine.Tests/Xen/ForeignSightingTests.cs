using Portal.Engine.Tests.Xen.Import;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>What runs and what files say, put together.</summary>
public sealed class ForeignSightingTests
{
    private const string Instance = "0badcafe";

    [Fact]
    public void What_runs_comes_before_what_its_file_says_and_each_domain_comes_once()
    {
        var running = new ForeignReading("xl list -l", false, Foreign.Read("name = 'web'", "memory = 128"));

        var sightings = ForeignSighting.Of(Instance, [("web", DomainState.Paused, running), ("bare", DomainState.Running, null)], [File("a", "name = 'web'"), File("b", "name = 'db'"), File("c", "name = 'db'")]);

        Assert.Equal(
            [("bare", DomainState.Running, ""), ("db", DomainState.Off, "b c"), ("web", DomainState.Paused, "xl list -l a")],
            sightings.Select(s => (s.Name!, s.State, string.Join(' ', s.Readings.Select(r => r.Source)))));
    }

    [Fact]
    public void The_portals_own_are_not_foreign_and_another_portals_are()
    {
        var own = new DomainName(Instance, VmId.New(), 1).Text;
        var others = new DomainName("0123abcd", VmId.New(), 1).Text;

        var sightings = ForeignSighting.Of(Instance, [(own, DomainState.Running, null), (others, DomainState.Running, null)], [File("a", $"name = '{own}'")]);

        Assert.Equal([others], sightings.Select(s => s.Name));
    }

    [Fact]
    public void A_file_without_a_name_is_shown_and_one_that_says_nothing_of_a_domain_is_not()
    {
        var sightings = ForeignSighting.Of(Instance, [], [File("a", "memory = 64"), File("b", "colour = 'blue'"), File("c", "")]);

        Assert.Equal([(null, "a")], sightings.Select(s => (s.Name, s.Readings[0].Source)));
    }

    private static ForeignReading File(string path, params string[] lines) => new(path, false, Foreign.Read(lines));
}
