using Portal.App.Operations;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Tests.Operations;

/// <summary>How an operation's row keeps its change, and how people read it. The texts stand in databases: a test that has to be changed here is a migration that is missing.</summary>
public sealed class WrittenChangeTests
{
    private static readonly VolumeLabel s_label = VolumeLabel.Parse("data");
    private static readonly MacAddress s_mac = MacAddress.OfSequence(5);

    public static TheoryData<DomainChange, string, string> Changes { get; } = new()
    {
        { new DomainChange.Pause(), """{"kind":"pause"}""", "Pause" },
        { new DomainChange.Resume(), """{"kind":"resume"}""", "Resume" },
        { new DomainChange.Save(), """{"kind":"save"}""", "Save to disk" },
        { new DomainChange.PressSysRq('b'), """{"kind":"sysRq","key":"b"}""", "Press SysRq b" },
        { new DomainChange.SetMemory(ByteSize.FromMiB(256)), """{"kind":"memory","memory":268435456}""", "Use 256 MiB of memory" },
        { new DomainChange.SetVcpus(1), """{"kind":"vcpus","vcpus":1}""", "Use 1 vCPU" },
        { new DomainChange.Pin(null, [0, 1]), """{"kind":"pin","vcpu":null,"cpus":[0,1]}""", "Pin to processors 0, 1" },
        { new DomainChange.Pin(2, [3]), """{"kind":"pin","vcpu":2,"cpus":[3]}""", "Pin vCPU 2 to processor 3" },
        { new DomainChange.Pin(null, []), """{"kind":"pin","vcpu":null,"cpus":[]}""", "Let it run on any processor" },
        { new DomainChange.Pin(2, []), """{"kind":"pin","vcpu":2,"cpus":[]}""", "Let vCPU 2 run on any processor" },
        { new DomainChange.SetShare(512, 50), """{"kind":"share","weight":512,"cap":50}""", "Weight 512, cap 50 %" },
        { new DomainChange.SetShare(256, 0), """{"kind":"share","weight":256,"cap":0}""", "Weight 256, no cap" },
        { new DomainChange.MakeVolume(s_label, ByteSize.FromGiB(1), VolumeFormat.Ext4), """{"kind":"makeVolume","label":"data","size":1073741824,"format":"Ext4"}""", "Make volume data of 1 GiB" },
        { new DomainChange.AttachVolume(s_label, "xvdc", true), """{"kind":"attachVolume","label":"data","device":"xvdc","readOnly":true}""", "Attach volume data as xvdc, read only" },
        { new DomainChange.AttachDevice("/dev/sdb1", "xvdc", false), """{"kind":"attachDevice","path":"/dev/sdb1","device":"xvdc","readOnly":false}""", "Attach the host's /dev/sdb1 as xvdc" },
        { new DomainChange.DetachVolume("xvdc"), """{"kind":"detachVolume","device":"xvdc"}""", "Detach xvdc" },
        { new DomainChange.RemoveVolume(s_label), """{"kind":"removeVolume","label":"data"}""", "Remove volume data" },
        { new DomainChange.GrowVolume(null, ByteSize.FromGiB(20)), """{"kind":"growVolume","label":null,"size":21474836480}""", "Grow the root disk to 20 GiB" },
        { new DomainChange.GrowVolume(s_label, ByteSize.FromGiB(20)), """{"kind":"growVolume","label":"data","size":21474836480}""", "Grow volume data to 20 GiB" },
        { new DomainChange.TakeSnapshot(s_label), """{"kind":"takeSnapshot","label":"data"}""", "Take snapshot data" },
        { new DomainChange.RevertToSnapshot(s_label), """{"kind":"revertToSnapshot","label":"data"}""", "Go back to snapshot data" },
        { new DomainChange.RemoveSnapshot(s_label), """{"kind":"removeSnapshot","label":"data"}""", "Remove snapshot data" },
        { new DomainChange.AttachNic(s_mac), $$"""{"kind":"attachNic","mac":"{{s_mac}}"}""", $"Attach network card {s_mac}" },
        { new DomainChange.DetachNic(s_mac), $$"""{"kind":"detachNic","mac":"{{s_mac}}"}""", $"Detach network card {s_mac}" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_change_is_written_read_back_and_said(DomainChange change, string text, string words)
    {
        Assert.Equal(text, WrittenChange.Of(change));
        Assert.Equal(text, WrittenChange.Of(WrittenChange.Read(text)!));
        Assert.Equal(change.GetType(), WrittenChange.Read(text)!.GetType());
        Assert.Equal(words, change.Words());
    }

    [Fact]
    public void Every_change_that_there_is_can_be_written() =>
        Assert.Equal(
            typeof(DomainChange).GetNestedTypes().Where(t => t.IsSubclassOf(typeof(DomainChange))).Select(t => t.Name).Order(),
            Changes.Select(c => c.Data.Item1.GetType().Name).Distinct().Order());

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kind":"explode"}""")]
    [InlineData("""{"kind":"sysRq"}""")]
    [InlineData("""{"kind":"takeSnapshot","label":"../x"}""")]
    public void What_was_not_written_here_is_not_read(string text) => Assert.ThrowsAny<Exception>(() => WrittenChange.Read(text));

    [Fact]
    public void The_longest_that_can_be_asked_for_has_room() =>
        Assert.InRange(WrittenChange.Of(new DomainChange.Pin(255, [.. Enumerable.Range(9_000, App.Control.ChangeVm.MaxCpus)])).Length, 1, WrittenChange.MaxLength);

    [Fact]
    public void A_change_has_to_say_which() => Assert.Throws<ArgumentException>(() => (Work)OperationKind.Change);
}
