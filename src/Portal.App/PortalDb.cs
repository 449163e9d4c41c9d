using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Portal.App.Access;
using Portal.App.Audit;
using Portal.App.Catalogue;
using Portal.App.Consoles;
using Portal.App.Hosts;
using Portal.App.Metering;
using Portal.App.Networks;
using Portal.App.Operations;
using Portal.App.Ordering;
using Portal.App.Outbox;
using Portal.App.Policies;
using Portal.App.Pricing;
using Portal.App.Quotas;
using Portal.App.Templates;
using Portal.App.Tenants;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.App;

/// <summary>The one database. Opened through <see cref="PortalDbs"/>, which says as which role.</summary>
public sealed class PortalDb(DbContextOptions<PortalDb> options, DbScope scope = default)
    : IdentityUserContext<PortalUser, Guid>(options), IDataProtectionKeyContext
{
    public DbScope Scope { get; } = scope;

    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    public DbSet<StaffRole> StaffRoles => Set<StaffRole>();

    public DbSet<Membership> Memberships => Set<Membership>();

    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();

    public DbSet<AuditLink> AuditLinks => Set<AuditLink>();

    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();

    public DbSet<PlatformSetting> Settings => Set<PlatformSetting>();

    public DbSet<Tenant> Tenants => Set<Tenant>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<Invitation> Invitations => Set<Invitation>();

    public DbSet<SshKey> SshKeys => Set<SshKey>();

    public DbSet<Template> Templates => Set<Template>();

    public DbSet<TemplateVersion> TemplateVersions => Set<TemplateVersion>();

    public DbSet<TemplateTenant> TemplateTenants => Set<TemplateTenant>();

    public DbSet<TemplateBuild> TemplateBuilds => Set<TemplateBuild>();

    public DbSet<Plan> Plans => Set<Plan>();

    public DbSet<PlanPrice> PlanPrices => Set<PlanPrice>();

    public DbSet<TenantPrice> TenantPrices => Set<TenantPrice>();

    public DbSet<TaxRate> TaxRates => Set<TaxRate>();

    public DbSet<Host> Hosts => Set<Host>();

    public DbSet<PortalKey> PortalKeys => Set<PortalKey>();

    public DbSet<Pool> Pools => Set<Pool>();

    public DbSet<PoolImage> PoolImages => Set<PoolImage>();

    public DbSet<Network> Networks => Set<Network>();

    public DbSet<Address> Addresses => Set<Address>();

    public DbSet<Vm> Vms => Set<Vm>();

    public DbSet<Volume> Volumes => Set<Volume>();

    public DbSet<VmSchedule> VmSchedules => Set<VmSchedule>();

    public DbSet<VmMove> VmMoves => Set<VmMove>();

    public DbSet<UsageInterval> UsageIntervals => Set<UsageInterval>();

    public DbSet<SetupCharge> SetupCharges => Set<SetupCharge>();

    public DbSet<QuotaReservation> QuotaReservations => Set<QuotaReservation>();

    public DbSet<Operation> Operations => Set<Operation>();

    public DbSet<OperationStep> OperationSteps => Set<OperationStep>();

    public DbSet<PortalProcess> Processes => Set<PortalProcess>();

    public DbSet<ConsoleTicket> ConsoleTickets => Set<ConsoleTicket>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<OrderLine> OrderLines => Set<OrderLine>();

    public DbSet<OrderComment> OrderComments => Set<OrderComment>();

    public DbSet<ApprovalPolicy> ApprovalPolicies => Set<ApprovalPolicy>();

    public DbSet<SavedOrder> SavedOrders => Set<SavedOrder>();

    public DbSet<ApprovalStep> ApprovalSteps => Set<ApprovalStep>();

    public DbSet<ApprovalVote> ApprovalVotes => Set<ApprovalVote>();

    /// <summary>Tells every replica, after commit, that something of this topic is worth another look. Part of the current transaction.</summary>
    public Task AnnounceAsync(Topic topic, CancellationToken ct) =>
        Database.ExecuteSqlAsync($"SELECT pg_notify('portal', {topic.Text})", ct);

    /// <summary>The database's clock: the one for business instants.</summary>
    public async Task<DateTimeOffset> NowAsync(CancellationToken ct) =>
        await Database.SqlQuery<DateTimeOffset>($"SELECT clock_timestamp() AS \"Value\"").SingleAsync(ct);

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(PortalDb).Assembly);
        builder.HasSequence<int>("mac_numbers").StartsAt(1);
        builder.HasSequence<long>("fence_epochs").StartsAt(1);
        builder.HasPostgresExtension("btree_gist");
        // Identity's own columns come without a bound; only a data-protection key is really long.
        foreach (var property in builder.Model.GetEntityTypes().Where(e => e.ClrType != typeof(DataProtectionKey)).SelectMany(e => e.GetProperties()))
        {
            if (property.ClrType == typeof(string) && property.GetMaxLength() is null)
            {
                property.SetMaxLength(1000);
            }
        }
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        foreach (var id in typeof(IId<>).Assembly.GetTypes().Where(t => t.IsValueType && t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>))))
        {
            configurationBuilder.Properties(id).HaveConversion(typeof(IdConverter<>).MakeGenericType(id));
        }

        configurationBuilder.Properties<ByteSize>().HaveConversion<ByteSizeConverter>();
        configurationBuilder.Properties<Limit>().HaveConversion<LimitConverter>().HaveMaxLength(20);
        configurationBuilder.Properties<Currency>().HaveConversion<CurrencyConverter>().HaveMaxLength(3);
        configurationBuilder.Properties<MacAddress>().HaveConversion<MacConverter>().HaveMaxLength(17);
        configurationBuilder.Properties<Ipv4Address>().HaveConversion<Ipv4Converter>();
        configurationBuilder.Properties<decimal>().HavePrecision(20, 10);
        configurationBuilder.Properties<Enum>().HaveConversion<string>().HaveMaxLength(30);
    }

    private sealed class IdConverter<TId>() : ValueConverter<TId, Guid>(id => id.Value, value => From(value))
        where TId : struct, IId<TId>
    {
        // An expression tree cannot call a static abstract member itself.
        private static TId From(Guid value) => TId.From(value);
    }

    private sealed class ByteSizeConverter() : ValueConverter<ByteSize, long>(size => size.Bytes, bytes => new ByteSize(bytes));

    private sealed class LimitConverter() : ValueConverter<Limit, string>(limit => limit.ToString()!, text => Read(text))
    {
        private static Limit Read(string text) =>
            text == "unlimited" ? Limit.None : Limit.Of(long.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed class CurrencyConverter() : ValueConverter<Currency, string>(currency => currency.Code, code => new Currency(code));

    private sealed class Ipv4Converter() : ValueConverter<Ipv4Address, System.Net.IPAddress>(ip => ip.ToIPAddress(), ip => Ipv4Address.From(ip));

    private sealed class MacConverter() : ValueConverter<MacAddress, string>(mac => mac.ToString(), text => Read(text))
    {
        private static MacAddress Read(string text) =>
            MacAddress.TryParse(text, out var mac) ? mac : throw new FormatException($"Not a MAC address: {text}");
    }
}
