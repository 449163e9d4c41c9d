using System.Globalization;
using System.Security.Cryptography;
using Portal.Kernel;

namespace Portal.Web.Components;

/// <summary>
/// The edge of a circuit: asks handlers, and makes a fault (database away, bug) into a refusal with a reference that stands in the log too, so
/// that a page keeps what was typed and can offer to try again.
/// </summary>
public sealed class Faults(ILogger<Faults> logger)
{
    /// <summary>The handler's own answer, or <see cref="PortalFault"/>.</summary>
    /// <exception cref="OperationCanceledException">The component is gone.</exception>
    public async Task<Result<T>> AskAsync<T>(Func<CancellationToken, Task<Result<T>>> ask, CancellationToken ct)
    {
        try
        {
            return await ask(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception fault)
        {
            return Result<T>.Of(Report(fault));
        }
    }

    /// <summary>Logs a fault and names the reference under which it can be found.</summary>
    public PortalFault Report(Exception fault)
    {
        var reference = Convert.ToHexString(RandomNumberGenerator.GetBytes(4)).ToLower(CultureInfo.InvariantCulture);
        logger.PageFailed(fault, reference);
        return new PortalFault(reference);
    }
}

/// <summary>Something on the portal's side did not work; nothing is known about why here.</summary>
/// <param name="Reference">Stands in the portal's log beside the reason.</param>
public sealed record PortalFault(string Reference)
    : Refusal("portal.fault", $"The portal could not do this now. Try again in a moment; if it stays so, tell an operator the reference {Reference}.")
{
    public override RefusalKind Kind => RefusalKind.Unavailable;
}
