using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Kernel;

namespace Portal.Engine.Images;

/// <summary>
/// The files of a NoCloud seed (https://docs.cloud-init.io, datasource NoCloud; network config version 2). They are JSON, which is YAML too:
/// what is in quotes cannot become anything but a string.
/// </summary>
/// <param name="UserData">What cloud-init reads: the portal's part alone, or an archive of it and of what the owner gave.</param>
/// <param name="OwnerData">What the owner gave, byte for byte, for the first-boot scripts of the portal's own images; null where nothing.</param>
internal sealed partial record SeedFiles(string UserData, string MetaData, string NetworkConfig, UserData? OwnerData = null)
{
    // Names and keys stay readable; quotes, backslashes and control characters are escaped all the same.
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The same for the same content: by it a seed is known again. What the owner gave is in the user data as well.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{UserData}\0{MetaData}\0{NetworkConfig}")));

    public static SeedFiles Of(DomainSpec spec) => new(
        SeedArchive.Of(
            "#cloud-config\n" + Json(new
            {
                hostname = spec.HostName.Text,
                manage_etc_hosts = true,
                ssh_pwauth = false,
                ssh_authorized_keys = spec.SshKeys.Select(key => key.Line),
            }),
            spec.UserData),
        Json(new Dictionary<string, object>
        {
            ["instance-id"] = spec.Name.Text,
            ["local-hostname"] = spec.HostName.Text,
            ["public-keys"] = spec.SshKeys.Select(key => key.Line),
        }),
        Json(new
        {
            version = 2,
            ethernets = new
            {
                nic0 = new
                {
                    match = new { macaddress = spec.Mac.ToString() },
                    addresses = new[] { $"{spec.Address.Address}/{spec.Address.PrefixLength}" },
                    routes = new[] { new { to = "default", via = spec.Address.Gateway.ToString() } },
                    nameservers = new { addresses = new[] { spec.Address.Dns.ToString() } },
                },
            },
        }),
        spec.UserData);

    // Beyond the basic plane the serializer always escapes, as JSON does it: in two halves. YAML takes each for a character, and cloud-init then cannot write the file.
    private static string Json<T>(T content) => Halves().Replace(JsonSerializer.Serialize(content, s_json), pair => Regex.Unescape(pair.Value)) + "\n";

    [GeneratedRegex(@"\\uD[89AB][0-9A-F]{2}\\uD[C-F][0-9A-F]{2}", RegexOptions.CultureInvariant)]
    private static partial Regex Halves();
}
