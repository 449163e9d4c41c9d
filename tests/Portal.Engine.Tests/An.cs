using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Tests;

/// <summary>Makes what tests need.</summary>
internal static class An
{
    public const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDnsWzC/6xJcFkGgFDrKVqRjMr6cZuGRC7EjIY6hIWo owner@example";

    // One for each console that is listened to.
    private static readonly ConditionalWeakTable<StringBuilder, Decoder> s_decoders = new();

    /// <summary>An instance mark that no other run has.</summary>
    public static string Instance() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));

    public static DomainSpec Spec(string instance, int n = 5) => new()
    {
        Name = new DomainName(instance, VmId.New(), 1),
        Vcpus = 1,
        Memory = ByteSize.FromMiB(192),
        Disk = ByteSize.FromGiB(1),
        Template = TemplateImage.TinyLinux,
        HostName = VmName.Parse($"web-{n}"),
        Mac = MacAddress.OfSequence(n),
        Address = Address($"10.77.0.{n}"),
        SshKeys = [KeyOf(Key)],
    };

    public static UserData Data(string text) => UserData.TryParse(text, out var data) ? data : throw new FormatException(text);

    public static GuestAddress Address(string address) =>
        new(IPAddress.Parse(address), 16, IPAddress.Parse("10.77.2.2"), IPAddress.Parse("10.77.2.3"));

    public static SshPublicKey KeyOf(string line) => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line);

    public static Fence Fence(DomainSpec spec, long epoch = 1) => new(spec.Name.Vm, epoch);

    public static string Pool()
    {
        var path = Path.Combine("/var/tmp", $"portal-test-{Instance()}");
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>Reads a console until it has said something.</summary>
    /// <remarks>The deadline is for a busy machine; an idle one needs seconds.</remarks>
    public static async Task<string> UntilAsync(this IAsyncEnumerator<ReadOnlyMemory<byte>> output, string wanted, StringBuilder heard)
    {
        while (!heard.ToString().Contains(wanted, StringComparison.Ordinal))
        {
            if (!await NextAsync(output, wanted, heard))
            {
                Assert.Fail($"The console ended before it said '{wanted}'. It said: {heard}");
            }

            // A letter of several bytes may come in two pieces.
            var decoder = s_decoders.GetValue(heard, _ => Encoding.UTF8.GetDecoder());
            var letters = new char[decoder.GetCharCount(output.Current.Span, flush: false)];
            heard.Append(letters, 0, decoder.GetChars(output.Current.Span, letters, flush: false));
        }

        var all = heard.ToString();
        heard.Remove(0, all.IndexOf(wanted, StringComparison.Ordinal) + wanted.Length);
        return all;
    }

    private static async Task<bool> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> output, string wanted, StringBuilder heard)
    {
        try
        {
            return await output.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2), TimeProvider.System);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The console said nothing for two minutes, and never '{wanted}'. It said: {heard}");
            throw;
        }
    }
}
