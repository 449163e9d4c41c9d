using Microsoft.AspNetCore.Components;

namespace Portal.Web.Components.Layout;

/// <summary>Keeps the shell alive when a page throws: the page's place shows a reference and a way to try again, never a stack trace.</summary>
public partial class PageBoundary(Faults faults) : ErrorBoundaryBase
{
    private PortalFault? _fault;

    protected override Task OnErrorAsync(Exception exception)
    {
        _fault = faults.Report(exception);
        return Task.CompletedTask;
    }

    private void Again() => Recover();
}
