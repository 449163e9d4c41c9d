using Portal.Kernel;
using Portal.Web.Components;
using Portal.Web.Components.Shared;

namespace Portal.Web.Tests.Components;

/// <summary>How times, spans and amounts are said.</summary>
public sealed class SaidTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "now")]
    [InlineData(-5, "5 s ago")]
    [InlineData(-61, "1 min ago")]
    [InlineData(-7200, "2 h ago")]
    [InlineData(-86_400, "13 Mar, 12:00")]
    [InlineData(90, "in 1 min")]
    public void An_age_is_said_in_one_unit_up_to_a_day_and_as_a_date_then(int seconds, string expected) =>
        Assert.Equal(expected, Said.Ago(s_now.AddSeconds(seconds), s_now, ViewerZone.Utc));

    [Theory]
    [InlineData("vm.seen", "VM seen")]
    [InlineData("operation.build.succeeded", "Build succeeded")]
    [InlineData("operation.poweroff.cancel_asked", "Force off cancel asked")]
    [InlineData("ssh_key.added", "SSH key added")]
    [InlineData("", "")]
    public void What_the_audit_calls_it_is_said_in_words(string verb, string expected) => Assert.Equal(expected, Said.Verb(verb));

    [Fact]
    public void Another_year_is_named() => Assert.Equal("14 Mar 2025, 12:00", Said.Ago(s_now.AddYears(-1), s_now, ViewerZone.Utc));

    [Fact]
    public void The_full_time_gives_the_viewers_zone_and_utc() =>
        Assert.Equal("14 Jul 2026, 14:00:00 (+02:00), 14 Jul 2026, 12:00:00 UTC", Said.Full(new DateTimeOffset(2026, 7, 14, 12, 0, 0, TimeSpan.Zero), ViewerZone.Of("Europe/Paris")));

    [Fact]
    public void An_unknown_zone_in_the_cookie_is_utc()
    {
        Assert.Null(ViewerZone.Known("Mars%2FOlympus"));
        Assert.Equal("Europe/Paris", ViewerZone.Known("Europe%2FParis"));
        Assert.Same(ViewerZone.Utc, ViewerZone.Of(null));
    }

    [Theory]
    [InlineData("0.00833", "0.00833")]
    [InlineData("0.0083300000", "0.00833")]
    [InlineData("12", "12.00")]
    [InlineData("1234.5", "1\u00a0234.50")]
    [InlineData("0.0000000001", "0.0000000001")]
    public void A_rate_shows_all_its_decimals_and_no_fewer_than_two(string amount, string expected) =>
        Assert.Equal(expected + "\u00a0EUR", Said.Exact(new Money(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), Currency.Eur)));

    [Theory]
    [InlineData(0.24, "0.2 s")]
    [InlineData(38.9, "38 s")]
    [InlineData(250, "4 min 10 s")]
    [InlineData(7500, "2 h 5 min")]
    public void A_step_says_how_long_it_took(double seconds, string expected) => Assert.Equal(expected, Said.Took(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void A_count_agrees_with_its_noun()
    {
        Assert.Equal("1 VM", Said.Count(1, "VM"));
        Assert.Equal("0 VMs", Said.Count(0, "VM"));
    }
}
