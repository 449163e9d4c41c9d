using Microsoft.Extensions.DependencyInjection.Extensions;
using MudBlazor;
using MudBlazor.Services;
using Portal.Web.Ordering;

namespace Portal.Web.Components;

/// <summary>What the pages need of the container.</summary>
public static class WebServices
{
    /// <summary>MudBlazor, and the small services of the shell.</summary>
    public static IServiceCollection AddPortalPages(this IServiceCollection services)
    {
        services.AddMudServices(mud =>
        {
            // Snackbars are for "done" alone: few, low, soon gone. Errors stay in the page.
            mud.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomLeft;
            mud.SnackbarConfiguration.MaxDisplayedSnackbars = 2;
            mud.SnackbarConfiguration.PreventDuplicates = true;
            mud.SnackbarConfiguration.VisibleStateDuration = 4000;
            mud.SnackbarConfiguration.ShowTransitionDuration = 150;
            mud.SnackbarConfiguration.HideTransitionDuration = 150;
        });
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<PrerenderStore>();
        services.AddScoped<Prerendered>();
        services.AddScoped<Browser>();
        services.AddScoped<Ticks>();
        services.AddScoped<Faults>();
        services.AddTransient<OrderOffers>();
        return services;
    }
}
