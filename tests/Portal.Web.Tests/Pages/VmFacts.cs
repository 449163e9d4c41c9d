using Portal.App.Control;
using Portal.App.Pricing;
using Portal.App.Vms;
using Portal.Kernel;

namespace Portal.Web.Tests.Pages;

/// <summary>A VM as its page gets it.</summary>
internal static class VmFacts
{
    public static GetVm.Details Of(VmActions can, ShownStatus status = ShownStatus.Running, bool saved = false) => new(
        new VmRow(VmId.New(), "web-1", status, null, Ipv4Address.TryParse("10.0.0.5", out var ip) ? ip : default, "S", "Tiny Linux 2", new Price(Currency.Eur, 0.01m, 0.002m), default),
        VmStage.Ready, WantedState.Running, "Running", null, null, saved, null, null, 2, ByteSize.FromMiB(512), ByteSize.FromGiB(10), "02:70:00:00:00:05", "root", "Ana", [], null, null, null, true, 100, null, false, null, null, can);
}
