using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Portal.Engine.Images;
using Portal.Engine.Libvirt;
using Portal.Engine.Pools;
using Portal.Engine.Tests.Live;
using Portal.Kernel;

namespace Portal.Engine.Tests.Hostile;

/// <summary>The path of a pool is the operator's, who may call a directory as the file system lets him: libvirt has to read it as it is, or it is refused.</summary>
public sealed class HostileLibvirtTests(Trap trap) : IClassFixture<Trap>
{
    private static readonly VmId s_vm = new(Guid.Parse("0190a5d5-c0ff-ee00-a1b2-c3d4e5f60718"));

    private static readonly VolumeLabel s_data = VolumeLabel.Parse("data");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Libvirts_own_parser_reads_each_path_as_it_was()
    {
        List<Domain> written = [];
        foreach (var text in trap.Strings)
        {
            if (Written(text, written.Count + 1) is { } domain)
            {
                domain.AssertIsIn(XElement.Parse(domain.Xml, LoadOptions.PreserveWhitespace));
                written.Add(domain);
            }
        }

        Assert.InRange(written.Count, 1000, HostileStrings.Count - 1000);
        List<Domain> some = [.. written.Where((_, n) => n % 5 == 0)]; // all would take 10 s

        var read = await ReadAsync(some);

        Assert.Equal(some.Count, read.Count);
        Assert.All(some.Zip(read), pair => pair.First.AssertIsIn(pair.Second));
        Assert.False(trap.IsSprung);
    }

    [Fact]
    public async Task Qemu_img_opens_the_disk_that_was_meant_and_takes_no_word_of_its_path_for_an_option()
    {
        var home = Directory.CreateTempSubdirectory("portal-disks-");
        try
        {
            // Some of those with what means something to qemu-img, for all would take minutes.
            List<string> names = [.. trap.Strings.Where(text => text.IndexOfAny([',', '=', ':', '%']) >= 0 && !text.Contains('/', StringComparison.Ordinal) && !text.Any(c => char.IsControl(c) || char.IsSurrogate(c)) && Encoding.UTF8.GetByteCount(text) < 200).Where((_, n) => n % 40 == 0).Take(20), "a,b", "x,driver=raw", "json:{}", "nbd:x"];
            Assert.InRange(names.Count, 10, 24);
            foreach (var name in names)
            {
                var path = Path.Combine(home.FullName, name);
                await RunAsync(new("qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"], TimeSpan.FromSeconds(20)));
                await RunAsync(ImageCommands.TakeSnapshot(path, "s-before"));
                await RunAsync(ImageCommands.RevertToSnapshot(path, "s-before"));
                Assert.Equal(["s-before"], ImageInfo.Parse(await RunAsync(ImageCommands.Info(path))).Snapshots);
                await RunAsync(ImageCommands.RemoveSnapshot(path, "s-before"));
                Assert.Empty(ImageInfo.Parse(await RunAsync(ImageCommands.Info(path))).Snapshots);
            }

            Assert.False(trap.IsSprung);
        }
        finally
        {
            home.Delete(recursive: true);
        }

        static async Task<string> RunAsync(Portal.Engine.Shell.HostCommand command)
        {
            var answer = await LibvirtHost.Shell.RunAsync(command, Ct);
            Assert.True(answer.Succeeded, $"{command}: {answer.Error}");
            return answer.Output;
        }
    }

    private static Domain? Written(string path, int number)
    {
        var spec = An.Spec("deadbeef") with { Name = new DomainName("deadbeef", s_vm, number) };
        try
        {
            var pool = new PoolLayout("/srv/" + path);
            var domain = XElement.Parse(DomainXml.Write(spec, pool, kvm: false), LoadOptions.PreserveWhitespace);
            domain.Element("devices")!.Add(XElement.Parse(DomainXml.Volume(pool.Volume(spec.Name, s_data), new(s_data, "vdc", ReadOnly: false), 5), LoadOptions.PreserveWhitespace));
            return new Domain(spec, pool, domain.ToString(SaveOptions.DisableFormatting));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>libvirt's test driver, inside virsh: the same parser and writer, without a daemon and without machines.</summary>
    private static async Task<IReadOnlyList<XElement>> ReadAsync(IReadOnlyList<Domain> domains)
    {
        var home = Directory.CreateTempSubdirectory("portal-domains-");
        try
        {
            StringBuilder commands = new();
            foreach (var domain in domains)
            {
                var file = Path.Combine(home.FullName, domain.Spec.Name.Text);
                await File.WriteAllTextAsync(file, domain.Xml, Ct);
                commands.Append(CultureInfo.InvariantCulture, $"define {file}\ndumpxml {domain.Spec.Name}\n");
            }

            // Into a file: of what a program says, the shell keeps no more than 4 MiB.
            var output = Path.Combine(home.FullName, "output");
            var answer = await LibvirtHost.Shell.RunAsync(
                new("sh", ["-euc", "exec virsh --quiet --connect test:///default >\"$1\"", "sh", output], TimeSpan.FromMinutes(2)) { Input = commands.ToString() }, Ct);
            Assert.Equal((0, ""), (answer.ExitCode, answer.Error));

            // What it echoes begins each part: the command that it answers.
            var said = (await File.ReadAllTextAsync(output, Ct)).Split("virsh # ").Where(part => part.StartsWith("dumpxml ", StringComparison.Ordinal));
            return [.. said.Select(part => XElement.Parse(part[part.IndexOf('\n', StringComparison.Ordinal)..]))];
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private sealed record Domain(DomainSpec Spec, PoolLayout Pool, string Xml)
    {
        public void AssertIsIn(XElement read)
        {
            var devices = read.Element("devices")!;
            Assert.Equal((Spec.Name.Text, Spec.HostName.Text), (read.Element("name")?.Value, read.Element("title")?.Value));
            Assert.Equal((Pool.TemplateKernel(Spec.Template), Pool.TemplateInitrd(Spec.Template)), (read.Element("os")?.Element("kernel")?.Value, read.Element("os")?.Element("initrd")?.Value));
            Assert.Equal([Pool.Disk(Spec.Name), Pool.Seed(Spec.Name), Pool.Volume(Spec.Name, s_data)], devices.Elements("disk").Select(disk => disk.Element("source")?.Attribute("file")?.Value));
            var serial = devices.Element("serial");
            Assert.Equal((Pool.ConsoleSocket(Spec.Name), Pool.ConsoleLog(Spec.Name)), (serial?.Element("source")?.Attribute("path")?.Value, serial?.Element("log")?.Attribute("file")?.Value));
        }
    }
}
