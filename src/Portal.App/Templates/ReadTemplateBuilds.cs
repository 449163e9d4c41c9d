using Microsoft.EntityFrameworkCore;
using Portal.App.Access;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>A build as lists show it.</summary>
/// <param name="Log">The end of what it said.</param>
public sealed record TemplateBuildRow(TemplateBuildId Id, string Name, string StartedBy, TemplateBuildState State, string Log, string? Problem, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);

/// <summary>The last builds of templates, the newest first.</summary>
public static class ListTemplateBuilds
{
    public sealed record Request;

    public sealed class Handler(PortalDbs dbs, AccessRules access)
    {
        private const int Most = 10;

        public async Task<Result<IReadOnlyList<TemplateBuildRow>>> HandleAsync(Request request, Actor actor, CancellationToken ct)
        {
            if (access.Check(actor, Permission.ManageTemplates) is { } refusal)
            {
                return refusal;
            }

            await using var db = dbs.ForSystem();
            return Result<IReadOnlyList<TemplateBuildRow>>.Of(await db.TemplateBuilds.AsNoTracking().OrderByDescending(b => b.Id).Take(Most)
                .Select(b => new TemplateBuildRow(b.Id, b.Name, b.StartedBy, b.State, b.Log, b.Problem, b.CreatedAt, b.FinishedAt))
                .ToListAsync(ct));
        }
    }
}
