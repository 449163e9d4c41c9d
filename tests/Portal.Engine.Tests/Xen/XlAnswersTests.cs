using Portal.Engine.Shell;
using Portal.Engine.Xen;
using Portal.Kernel;

namespace Portal.Engine.Tests.Xen;

/// <summary>As Xen 4.17.7 says it.</summary>
public sealed class XlAnswersTests
{
    private const string List = """
        Name                                        ID   Mem VCPUs	State	Time(s)
        Domain-0                                     0  1024     2     r-----     139.7
        p1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1     1   192     1     -b----      10.1
        a name with blanks                           2   192     1     --p---       0.0
        going                                        3   192     1     ---s--       1.5
        broken                                       4   192     1     ----c-       2.0
        (null)                                       5     0     1     --ps-d      23.9
        between                                      6   192     1     ------       0.1

        """;

    [Fact]
    public void Every_domain_is_read_with_its_state_and_one_that_is_dying_has_no_name()
    {
        var domains = XlAnswers.Domains(List);

        Assert.Equal(
            [("Domain-0", DomainState.Running), ("p1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1", DomainState.Running), ("a name with blanks", DomainState.Paused), ("going", DomainState.Stopping),
                ("broken", DomainState.Crashed), (null, DomainState.Stopping), ("between", DomainState.Running)],
            domains.Select(d => (d.Name, d.State)));
        Assert.Equal(new XenDomain("Domain-0", 0, 1024, 2, DomainState.Running, 139.7m), domains[0]);
    }

    [Fact]
    public void A_line_that_is_none_of_xls_is_a_fault_and_not_a_guess() =>
        Assert.Throws<HostFaultException>(() => XlAnswers.Domains("Domain-0   0  1024 r-----\n"));

    [Fact]
    public void An_absent_domain_is_told_from_a_host_that_fails()
    {
        Assert.True(XlAnswers.IsAbsent(new HostAnswer(1, "", "p1ab1ab1a-0-g1 is an invalid domain identifier (rc=-6)\n")));
        Assert.False(XlAnswers.IsAbsent(new HostAnswer(1, "", "xencall: error: Could not obtain handle on privileged command interface: No such file or directory\n")));
    }

    [Theory]
    [InlineData("Waiting for domain p (domid 1) to die [pid 1]\nDomain 1 has shut down, reason code 0 0x0\nAction for shutdown reason code 0 is destroy\nDomain 1 needs to be cleaned up: destroying the domain\n", true)]
    [InlineData("Domain 1 has shut down, reason code 3 0x3\n", false)]
    [InlineData("Domain 1 has been destroyed.\n", false)]
    [InlineData("Domain 1 has shut down, reason code 1 0x1\nDomain 2 has shut down, reason code 0 0x0\n", true)]
    [InlineData("", false)]
    public void Why_a_domain_ended_stands_in_its_log(string log, bool byGuest) => Assert.Equal(byGuest, XlAnswers.EndedByGuest(log));

    [Fact]
    public void A_hosts_facts_are_read()
    {
        var info = XlAnswers.Info("host                   : xenlab\nnr_cpus                : 2\ntotal_memory           : 3071\nfree_memory            : 2014\nvirt_caps              : pv hvm gnttab-v1 gnttab-v2\nxen_version            : 4.17.7\nxen_scheduler          : credit2\nxen_commandline        : console=com1 com1=115200\n");

        Assert.Equal(new XenInfo("4.17.7", 2, ByteSize.FromMiB(3071), ByteSize.FromMiB(2014), "pv hvm gnttab-v1 gnttab-v2", "credit2"), info);
    }

    [Fact]
    public void Processors_are_read_with_where_they_may_run()
    {
        const string Table = "Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\np1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1     1     0    1   -b-      34.8  1 / all\np1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1     1     1    -   --p       2.0  0-2,5 / 0\np1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1     1     2    0   r--       0.0  all / all\n";

        var vcpus = XlAnswers.Vcpus(Table);

        Assert.Equal([(0, true), (1, false), (2, true)], vcpus.Select(v => (v.Number, v.Online)));
        Assert.Equal([1], vcpus[0].Cpus!);
        Assert.Equal([0, 1, 2, 5], vcpus[1].Cpus!.Order());
        Assert.Null(vcpus[2].Cpus);
        Assert.Throws<HostFaultException>(() => XlAnswers.Vcpus("something else\n"));
    }

    [Fact]
    public void A_share_is_read()
    {
        Assert.Equal((512, 50), XlAnswers.Share("Name                                ID Weight  Cap\np1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1    1    512   50\n"));
        Assert.Throws<HostFaultException>(() => XlAnswers.Share("Name                                ID Weight  Cap\n"));
    }

    [Fact]
    public void Disks_and_interfaces_are_read()
    {
        Assert.Equal(["xvda", "xvdc"], XlAnswers.Disks("Vdev  BE  handle state evt-ch ring-ref BE-path                       \n51712 0   1      4     8      8        /local/domain/0/backend/vbd/1/51712\n51744 0   1      4     12     700      /local/domain/0/backend/vbd/1/51744\n").Order());
        Assert.Empty(XlAnswers.Disks("Vdev  BE  handle state evt-ch ring-ref BE-path                       \n"));
        Assert.True(MacAddress.TryParse("00:16:3e:00:00:99", out var mac));
        Assert.Equal([new XenNic(1, mac)], XlAnswers.Nics("Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n1   0  00:16:3e:00:00:99     1     4     -1  1160/1159        /local/domain/0/backend/vif/1/1\n"));
    }

    [Fact]
    public void Why_a_domain_was_not_made_is_told_and_not_what_came_of_it()
    {
        const string Disk = "libxl: error: libxl_device.c:455:libxl__device_disk_set_backend: Disk vdev=xvda failed to stat: /dev/vgdisk/p-g1: No such file or directory\nlibxl: error: libxl_create.c:1318:initiate_domain_create: Domain 8:Unable to set disk defaults for disk 0\nlibxl: error: libxl_domain.c:1183:libxl__destroy_domid: Domain 8:Non-existant domain\nlibxl: error: libxl_domain.c:1137:domain_destroy_callback: Domain 8:Unable to destroy guest\nlibxl: error: libxl_domain.c:1064:domain_destroy_cb: Domain 8:Destruction of domain failed\n";
        const string Memory = "xc: error: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory\nlibxl: error: libxl_dom.c:586:libxl__build_dom: xc_dom_boot_mem_init failed: Cannot allocate memory\n";

        Assert.Equal("Disk vdev=xvda failed to stat: /dev/vgdisk/p-g1: No such file or directory Domain 8:Unable to set disk defaults for disk 0", XlAnswers.Complaint(new HostAnswer(1, "", Disk)));
        Assert.Equal("xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory xc_dom_boot_mem_init failed: Cannot allocate memory", XlAnswers.Complaint(new HostAnswer(1, "", Memory)));
        Assert.Equal("exit code 7", XlAnswers.Complaint(new HostAnswer(7, "", "")));
    }
}
