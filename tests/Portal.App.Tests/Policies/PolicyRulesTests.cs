using CsCheck;
using Portal.App.Access;
using Portal.App.Catalogue;
using Portal.App.Policies;
using Portal.Kernel;

namespace Portal.App.Tests.Policies;

/// <summary>What a policy says to an order: a pure function.</summary>
public sealed class PolicyRulesTests
{
    // A Saturday.
    private static readonly DateTimeOffset s_at = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
    private static readonly PolicyStep s_step = new("Finance", 1, 1, [new Voter(TenantRole: TenantRole.Owner)]);

    private static readonly Gen<AskedOrder> s_order = Gen.Select(Gen.Int[0, 300], Gen.Int[1, 10], Gen.Int[1, 8], Gen.Int[0, 60], (cost, count, vcpus, day) => Order(cost, count, vcpus, at: s_at.AddDays(day)));

    private static readonly Gen<AutomaticLimits> s_limits = Gen.Select(Gen.Int[-1, 300], Gen.Int[-1, 10], Gen.Int[0, 8], Gen.Int[0, 30], (cost, vms, vcpus, days) => new AutomaticLimits
    {
        PerMonth = cost < 0 ? null : cost,
        Currency = "EUR",
        Vms = vms < 0 ? null : vms,
        Vcpus = vcpus == 0 ? null : vcpus,
        WithinDays = days,
    });

    [Fact]
    public void Without_limits_for_a_yes_it_always_asks() => s_order.Sample(order => Assert.Equal([s_step], PolicyRules.Ask(new PolicyBody(null, [s_step]), order, []).Steps));

    [Fact]
    public void With_no_limit_at_all_it_never_asks() => s_order.Sample(order => Assert.True(PolicyRules.Ask(PolicyBody.Nobody, order, []).ByItself));

    /// <summary>What passes passes in any smaller size, and with any limit raised or taken away.</summary>
    [Fact]
    public void Less_never_asks_where_more_did_not() => Gen.Select(s_limits, s_order, Gen.Int[0, 100], Gen.Int[0, 3]).Sample((limits, order, less, wider) =>
    {
        if (!Passes(limits, order))
        {
            return;
        }

        var smaller = order with { PerMonth = order.PerMonth with { Amount = Math.Max(0, order.PerMonth.Amount - less) } };
        Assert.True(Passes(limits, smaller));
        Assert.True(Passes(limits with { PerMonth = limits.PerMonth + less, Vms = limits.Vms + wider, Vcpus = limits.Vcpus + wider }, order));
        Assert.True(Passes(limits with { PerMonth = null }, order));
        Assert.True(Passes(limits with { Vms = null }, order));
    });

    /// <summary>However an order is cut into pieces and spread over the days: what passes in any stretch of the policy's length never comes to more than its limit.</summary>
    [Fact]
    public void Splitting_does_not_help() => Gen.Select(s_limits, Gen.Select(Gen.Int[0, 120], Gen.Int[1, 4], Gen.Int[0, 60 * 24]).Array[1, 25]).Sample((limits, pieces) =>
    {
        var body = new PolicyBody(limits, [s_step]);
        var passed = new List<PassedOrder>();
        foreach (var (cost, count, hour) in pieces.OrderBy(p => p.Item3))
        {
            var order = Order(cost, count, at: s_at.AddHours(hour));
            if (PolicyRules.Ask(body, order, passed).ByItself)
            {
                passed.Add(new PassedOrder(order.At, order.PerMonth, count));
            }
        }

        foreach (var last in passed)
        {
            var window = passed.Where(p => p.At <= last.At && p.At > last.At.AddDays(-limits.WithinDays)).ToList();
            Assert.True(limits.PerMonth is null || window.Sum(p => p.PerMonth.Amount) <= limits.PerMonth, "The sum of a month's cost is passed.");
            Assert.True(limits.Vms is null || window.Sum(p => p.Vms) <= limits.Vms, "The number of VMs is passed.");
        }
    });

    [Fact]
    public void The_sentence_says_why_it_asks_with_what_was_let_pass_before()
    {
        var limits = new AutomaticLimits { PerMonth = 50, Currency = "EUR", WithinDays = 7, Vcpus = 2, Templates = ["debian-13"] };
        PassedOrder[] earlier = [new(s_at.AddDays(-1), Eur(30), 1), new(s_at.AddDays(-8), Eur(500), 1)];

        var answer = PolicyRules.Ask(new PolicyBody(limits, [s_step]), Order(24.8m, 1, 4), earlier);

        Assert.Equal("It asks because 54.80 EUR a month together with 1 earlier order in 7 days is more than 50.00 EUR, and 4 vCPU are more than 2 for one VM, and tiny-linux is not one of its templates.", Plain(answer.Why));
        Assert.Equal("It says yes by itself: 44.80 EUR a month of 50.00 EUR, counted over 7 days.", Plain(PolicyRules.Ask(new PolicyBody(limits with { Templates = null }, [s_step]), Order(14.8m), earlier).Why));
    }

    [Fact]
    public void A_limit_in_another_currency_is_never_met()
    {
        var answer = PolicyRules.Ask(new PolicyBody(new AutomaticLimits { PerMonth = 1_000_000, Currency = "USD" }, [s_step]), Order(1), []);

        Assert.Equal("It asks because its limit is in USD and the order in EUR.", answer.Why);
    }

    [Theory]
    [InlineData("2026-03-13T08:59:59Z", "UTC", false)]
    [InlineData("2026-03-13T09:00:00Z", "UTC", true)]
    [InlineData("2026-03-13T16:59:59Z", "UTC", true)]
    [InlineData("2026-03-13T17:00:00Z", "UTC", false)]
    [InlineData("2026-03-14T12:00:00Z", "UTC", false)]
    [InlineData("2026-03-13T08:00:00Z", "Europe/Vienna", true)]
    [InlineData("2026-03-13T16:00:00Z", "Europe/Vienna", false)]
    // Summer time: an hour earlier.
    [InlineData("2026-07-17T07:00:00Z", "Europe/Vienna", true)]
    public void Hours_are_those_of_the_policys_own_zone(string at, string zone, bool passes)
    {
        var limits = new AutomaticLimits { Days = [DayOfWeek.Monday, DayOfWeek.Friday], From = new TimeOnly(9, 0), Until = new TimeOnly(17, 0), Zone = zone };

        Assert.Equal(passes, Passes(limits, Order(1, at: DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture))));
    }

    [Theory]
    [InlineData(21, false)]
    [InlineData(22, true)]
    [InlineData(3, true)]
    [InlineData(6, false)]
    public void A_night_goes_past_midnight(int hour, bool passes) =>
        Assert.Equal(passes, Passes(new AutomaticLimits { From = new TimeOnly(22, 0), Until = new TimeOnly(6, 0) }, Order(1, at: new DateTimeOffset(2026, 3, 14, hour, 0, 0, TimeSpan.Zero))));

    [Fact]
    public void A_policy_is_told_in_sentences()
    {
        var body = new PolicyBody(
            new AutomaticLimits { PerMonth = 50, Currency = "EUR", Vms = 3, WithinDays = 7, Vcpus = 2, Days = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday], From = new TimeOnly(9, 0), Until = new TimeOnly(17, 0) },
            [
                new PolicyStep("Team", 1, 1, [new Voter(TenantRole: TenantRole.Owner), new Voter(Person: Guid.CreateVersion7(), Name: "Ana")]),
                new PolicyStep("Finance", 1, 2, [new Voter(TenantRole: TenantRole.Billing)], FourEyes: false),
                new PolicyStep("Board", 3, 1, [new Voter(Person: Guid.CreateVersion7(), Name: "Bo")]),
            ],
            30);

        Assert.Equal(
            [
                "It says yes by itself to an order that costs at most 50.00 EUR a month, with what it let pass for the same person in 7 days, and has at most 3 VMs in the same time, and has VMs of at most 2 vCPU, and is placed Monday to Wednesday, 09:00 to 17:00 UTC. It asks about every other.",
                "It asks Team: an owner of the tenant or Ana, never who ordered, and at the same time Finance: 2 of: a billing contact of the tenant.",
                "Then it asks Board: Bo, never who ordered.",
                "An order that nobody decides on expires after 30 days.",
            ],
            PolicyWords.Of(body).Select(Plain));
    }

    [Fact]
    public void What_was_written_is_read_for_ever()
    {
        const string Written =
            """{"automatic":{"perMonth":50.5,"currency":"EUR","vms":3,"withinDays":7,"vcpus":2,"memoryMiB":4096,"diskGiB":40,"templates":["debian-13"],"days":["Monday","Friday"],"from":"09:00:00","until":"17:00:00","zone":"Europe/Vienna"},"steps":[{"name":"Finance","stage":1,"votes":2,"who":[{"tenantRole":"Owner"},{"platformRole":"Approver"},{"person":"0193b2a0-0000-7000-8000-000000000001","name":"Ana"}],"fourEyes":false}],"expiresAfterDays":30}""";

        var body = WrittenPolicy.Read(Written);

        Assert.Equal(Written, WrittenPolicy.Of(body));
        Assert.Equal((50.5m, 2, "Ana", false), (body.Automatic!.PerMonth, body.Steps[0].Votes, body.Steps[0].Who[2].Name, body.Steps[0].FourEyes));
        // What a later version did not write yet.
        Assert.Equal((1, true, PolicyBody.UsualDays), (WrittenPolicy.Read("""{"steps":[{"name":"A","stage":1,"votes":1,"who":[]}]}""") is { Automatic: null } old ? (old.Steps[0].Votes, old.Steps[0].FourEyes, old.ExpiresAfterDays) : default));
    }

    [Fact]
    public void What_is_wrong_with_a_policy_is_said_field_by_field()
    {
        var body = new PolicyBody(
            new AutomaticLimits { PerMonth = -1, Vcpus = 0, From = new TimeOnly(9, 0), Zone = "Nowhere/Land", Days = [] },
            [
                new PolicyStep(" ", 1, 0, []),
                new PolicyStep("Two", 1, 2, [new Voter(Person: Guid.CreateVersion7(), Name: "Ana")]),
                new PolicyStep("Theirs", 2, 1, [new Voter(PlatformRole: PlatformRole.Approver)]),
                new PolicyStep("Nothing", 2, 1, [new Voter()]),
            ],
            0);

        Assert.Equal(
            ["automatic.perMonth", "automatic.currency", "automatic.vcpus", "automatic.days", "automatic.from", "automatic.zone", "steps[0].name", "steps[0].votes", "steps[0].who", "steps[1].votes", "steps[2].who", "steps[3].who", "expiresAfterDays"],
            PolicyShape.Check(body, PolicySide.Tenant).Select(r => r.Path));
        Assert.Equal(["steps"], PolicyShape.Check(new PolicyBody(null, []), PolicySide.Provider).Select(r => r.Path));
        Assert.Empty(PolicyShape.Check(PolicyBody.OneApprover, PolicySide.Provider));
        Assert.Empty(PolicyShape.Check(PolicyBody.Nobody, PolicySide.Tenant));
    }

    private static bool Passes(AutomaticLimits limits, AskedOrder order) => PolicyRules.Ask(new PolicyBody(limits, [s_step]), order, []).ByItself;

    private static AskedOrder Order(decimal cost, int count = 1, int vcpus = 1, DateTimeOffset? at = null) =>
        new(Eur(cost), [new AskedVms(count, "tiny-linux", new VmSize(vcpus, ByteSize.FromMiB(256), ByteSize.FromGiB(1)))], at ?? s_at);

    private static Money Eur(decimal amount) => new(amount, Currency.Eur);

    private static string Plain(string text) => text.Replace('\u00a0', ' ');
}
