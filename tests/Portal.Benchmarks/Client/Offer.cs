namespace Portal.Benchmarks.Client;

/// <summary>What can be ordered.</summary>
internal sealed record Offer(IReadOnlyList<Template> Templates, IReadOnlyList<Plan> Plans)
{
    public static async Task<Offer> ReadAsync(PortalClient portal, Tenant tenant, CancellationToken ct) => new(
        await portal.GetAsync<IReadOnlyList<Template>>("templates", ct),
        await portal.GetAsync<IReadOnlyList<Plan>>($"plans?currency={tenant.Currency}", ct));

    /// <summary>The template of that slug; without one, the first.</summary>
    public Template TemplateOf(string? slug) => Templates.FirstOrDefault(t => slug is null || t.Slug == slug) ?? throw new Shortfall(Templates.Count == 0
        ? "No template is on offer: the portal's set-up list says what is missing."
        : $"There is no template '{slug}' on offer. There are: {string.Join(", ", Templates.Select(t => t.Slug))}.");

    /// <summary>The plan of that name; without one, the cheapest that holds the template.</summary>
    public Plan PlanOf(string? name, Template template) => Plans
        .Where(p => name is null
            ? p.Price is not null && p.MemoryMiB >= template.MinMemoryMiB && p.DiskGiB >= template.MinDiskGiB
            : string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase))
        .MinBy(p => p.Price?.PerHour) ?? throw new Shortfall(name is null
        ? $"No plan with a price holds {template.Name}. A biller can make one."
        : $"There is no plan '{name}' on offer. There are: {string.Join(", ", Plans.Select(p => p.Name))}.");
}
