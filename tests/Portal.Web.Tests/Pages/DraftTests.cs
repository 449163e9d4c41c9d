using Portal.App.Catalogue;
using Portal.App.Tenants;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Catalogue;
using Portal.Web.Components.Account;
using Portal.Web.Tenants;

namespace Portal.Web.Tests.Pages;

/// <summary>Forms of staff, and addresses that come from outside.</summary>
public sealed class DraftTests
{
    [Theory]
    [InlineData("0.0000000001", true)]
    [InlineData(" 12 ", true)]
    [InlineData("0,006", true)]
    [InlineData("12,5", true)]
    [InlineData("1,250", false)]
    [InlineData("1,250.5", false)]
    [InlineData("1,2,3", false)]
    [InlineData("-1", false)]
    [InlineData("1e3", false)]
    [InlineData("", false)]
    public void A_rate_is_read_with_a_point_or_a_comma_that_cannot_mean_thousands(string text, bool good) => Assert.Equal(good, PlanDraft.TryRate(text, out _));

    [Fact]
    public void A_rate_keeps_its_ten_decimals_through_the_form()
    {
        Assert.True(PlanDraft.TryRate(PlanDraft.Rate(0.0083300001m), out var rate));
        Assert.Equal(0.0083300001m, rate);
    }

    [Theory]
    [InlineData("", true, null)]
    [InlineData("2027-01-01", true, "2027-01-01T00:00:00Z")]
    [InlineData(" 2027-01-01 06:30 ", true, "2027-01-01T06:30:00Z")]
    [InlineData("1.1.2027", false, null)]
    [InlineData("2027-02-30", false, null)]
    public void A_price_begins_now_or_on_a_day_in_utc(string text, bool good, string? at)
    {
        var read = PriceDraft.ReadFrom(text);

        Assert.Equal(good ? null : "from", read.Refusal?.Field);
        Assert.Equal(at is null ? null : DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture), good ? read.Value : null);
    }

    [Fact]
    public void A_template_comes_back_from_the_form_as_it_was()
    {
        var tenant = TenantId.New();
        var row = new TemplateRow(TemplateId.New(), "debian-13", "Debian 13", "Small.", "As root.", "1", ByteSize.FromMiB(256), ByteSize.FromGiB(2), false, ImageBoot.Kernel, FirstBoot.Script, Paused: "Wait.", Deprecated: true, OnlyFor: [tenant]);

        var request = TemplateDraft.From(row).ToRequest();

        Assert.Equal((row.Id, "Debian 13", false, true, "Wait.", 256L, 2L), (request.Template, request.Name, request.Offered, request.Deprecated, request.PausedBecause, request.MinMemoryMiB, request.MinDiskGiB));
        Assert.Equal([tenant], request.OnlyFor);
    }

    [Fact]
    public void An_empty_limit_is_no_limit_and_zero_is_none_at_all()
    {
        var limits = new TenantDraft { Vms = null, Vcpus = 0 }.Limits;

        Assert.Equal(Limit.None, limits.Vms);
        Assert.Equal(Limit.Of(0), limits.Vcpus);
    }

    [Fact]
    public void A_tenants_limits_come_back_from_the_form_as_they_were()
    {
        var limits = new TenantLimits(Limit.None, Limit.Of(8), Limit.Of(0), Limit.Of(100)) { Addresses = Limit.Of(5), WaitingVms = Limit.Of(0), RunningOnly = true };
        var row = new TenantRow(TenantId.New(), "acme", "ACME", Currency.Eur, limits, 1, DateTimeOffset.UnixEpoch);

        Assert.Equal(limits, TenantDraft.From(row).Limits);
    }

    [Theory]
    [InlineData("/t/acme", "/t/acme")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData(null, "/")]
    public void Signing_in_leads_only_to_pages_of_this_portal(string? asked, string goes) => Assert.Equal(goes, Local.OrHome(asked));
}
