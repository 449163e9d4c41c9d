using Portal.Engine.Remote;
using Portal.Engine.Xen;

namespace Portal.Engine.Tests.Xen;

/// <summary>How guests can run on a host, by the words of `xl info` and by what is there.</summary>
public sealed class XenKindsTests
{
    private static readonly string[] s_all = ["device_model", "hvmloader", "seabios"];

    // As xl of Xen 4.17 prints them: on a server, on one with virtualisation switched off, in the lab without nested paging, where Xen has shadow paging, where it has no PV.
    [Theory]
    [InlineData("pv hvm hvm_directio pv_directio hap shadow iommu_hap_pt_share vmtrace gnttab-v1 gnttab-v2", GuestKinds.Pv | GuestKinds.Pvh | GuestKinds.Hvm)]
    [InlineData("pv gnttab-v1 gnttab-v2", GuestKinds.Pv)]
    [InlineData("pv hvm gnttab-v1 gnttab-v2", GuestKinds.Pv)]
    [InlineData("pv hvm shadow", GuestKinds.Pv | GuestKinds.Pvh | GuestKinds.Hvm)]
    [InlineData("hvm hap", GuestKinds.Pvh | GuestKinds.Hvm)]
    [InlineData("pv_directio hvm_directio", GuestKinds.None)]
    [InlineData("", GuestKinds.None)]
    public void What_the_hardware_can_is_read(string capabilities, GuestKinds kinds) => Assert.Equal(kinds, new XenKinds(capabilities, s_all).Kinds);

    [Fact]
    public void Whole_PCs_want_all_of_their_parts_and_a_host_says_which_are_missing()
    {
        foreach (var part in s_all)
        {
            var kinds = new XenKinds("pv hvm hap", [.. s_all.Where(p => p != part)]);

            Assert.Equal(GuestKinds.Pv | GuestKinds.Pvh, kinds.Kinds);
            Assert.Equal((CheckLevel.Warning, "pcs.missing"), (kinds.PcCheck.Level, kinds.PcCheck.Code));
        }

        Assert.Equal("apt install qemu-system-xen seabios", new XenKinds("pv hvm hap", ["hvmloader"]).PcCheck.Remedy);
        Assert.Equal("there is no qemu-system-xen, no seabios", new XenKinds("pv hvm hap", ["hvmloader"]).WhyNoPcs);
        Assert.Null(new XenKinds("pv hvm hap", s_all).WhyNoPcs);
        // A host of paravirtualised guests is none the worse for that.
        Assert.Equal((CheckLevel.Good, "pcs.none"), (new XenKinds("pv", s_all).PcCheck.Level, new XenKinds("pv", s_all).PcCheck.Code));
        Assert.Contains("switched off", new XenKinds("pv", s_all).WhyNoPcs, StringComparison.Ordinal);
        Assert.Contains("nested paging", new XenKinds("pv hvm", s_all).WhyNoPcs, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pv", KernelGuests.Pv, CheckLevel.Good, "run paravirtualised")]
    [InlineData("pv hvm hap", KernelGuests.Pv, CheckLevel.Good, "run paravirtualised; this machine could run them as PVH, which Xen's makers advise: choose it in this host's settings")]
    [InlineData("pv hvm hap", KernelGuests.Pvh, CheckLevel.Good, "run as PVH")]
    [InlineData("pv", KernelGuests.Pvh, CheckLevel.Bad, "they are to run as PVH, and its processor has no virtualisation of its own, or its firmware has that switched off")]
    [InlineData("pv hvm", KernelGuests.Pvh, CheckLevel.Bad, "they are to run as PVH, and its processor's virtualisation has no nested paging, which this Xen wants")]
    [InlineData("hvm hap", KernelGuests.Pv, CheckLevel.Bad, "they are to run paravirtualised, which this Xen was built without")]
    public void A_setting_that_the_host_cannot_serve_is_a_finding_with_its_remedy(string capabilities, KernelGuests guests, CheckLevel level, string found)
    {
        var check = new XenKinds(capabilities, s_all).KernelCheck(guests);

        Assert.Equal((level, found, level == CheckLevel.Good), (check.Level, check.Found, check.Remedy.Length == 0));
    }

    [Fact]
    public void The_parts_are_told_with_the_facts()
    {
        const string Facts = "time 1764400000\nboot b\nkernel 6.1\nprocessor x\nload 0 0 0\nuptime 1.5\nconsoled /usr/sbin/xenconsoled\nguards fine\npart device_model\npart seabios\ntool xl\nvg vg0\n";

        Assert.Equal(["device_model", "seabios"], HostFacts.Parse(Facts).Parts);
        Assert.Equal("there is no xen-utils-4.17", XenKinds.Of(XlAnswers.Info("nr_cpus : 2\ntotal_memory : 1\nfree_memory : 1\nvirt_caps : pv hvm hap\nxen_version : 4.17.7\nxen_scheduler : credit2\n"), HostFacts.Parse(Facts)).WhyNoPcs);
    }
}
