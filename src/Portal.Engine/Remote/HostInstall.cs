using System.Text;
using System.Text.RegularExpressions;
using Portal.Engine.Lvm;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Remote;

/// <summary>What makes a machine a host of this portal: a script for its root, to be read before it is run. Running it again brings it up to date.</summary>
internal static partial class HostInstall
{
    public const string User = "portal";

    /// <summary>What portal-host says first: it and the portal are of one version, or do not work together.</summary>
    public const string Greeting = "portal-host 5";
    private const string Program = "/usr/local/lib/portal/portal-host";

    /// <summary>The script. Nothing in it is secret.</summary>
    /// <param name="instance">The portal's mark, eight hexadecimal digits.</param>
    /// <param name="volumeGroups">Which volume groups the portal may use.</param>
    /// <param name="key">The portal's public key.</param>
    /// <param name="pool">The thin pool in the first of them, where the portal may make it larger.</param>
    /// <param name="devices">The machine's own block devices that it may give to guests.</param>
    /// <param name="directory">The directory in which it may keep disks as files.</param>
    /// <exception cref="ArgumentException">The mark or a name is none: what root runs takes nothing that could be more than a word.</exception>
    public static string Script(string instance, IReadOnlyList<string> volumeGroups, SshPublicKey key, string? pool = null, IReadOnlyList<string>? devices = null, string? directory = null)
    {
        if (!Mark().IsMatch(instance))
        {
            throw new ArgumentException("An instance mark is eight hexadecimal digits.", nameof(instance));
        }

        if (volumeGroups.FirstOrDefault(group => !LvmName.IsValid(group)) is { } wrong)
        {
            throw new ArgumentException($"LVM has no volume group of the name '{wrong}'.", nameof(volumeGroups));
        }

        if (pool is not null && !LvmName.IsValid(pool))
        {
            throw new ArgumentException($"LVM has no volume of the name '{pool}'.", nameof(pool));
        }

        if (devices?.FirstOrDefault(device => !HostNames.IsDevice(device)) is { } none)
        {
            throw new ArgumentException($"'{none}' is no block device's path.", nameof(devices));
        }

        if (directory is not null && !HostNames.IsDirectory(directory))
        {
            throw new ArgumentException($"No disks are kept in '{directory}'.", nameof(directory));
        }

        var conf = new StringBuilder($"instance {instance}\n");
        foreach (var group in volumeGroups)
        {
            conf.Append(System.Globalization.CultureInfo.InvariantCulture, $"vg {group}\n");
        }

        if (pool is not null)
        {
            conf.Append(System.Globalization.CultureInfo.InvariantCulture, $"pool {volumeGroups[0]}/{pool}\n");
        }

        foreach (var device in devices ?? [])
        {
            conf.Append(System.Globalization.CultureInfo.InvariantCulture, $"device {device}\n");
        }

        if (directory is not null)
        {
            conf.Append(System.Globalization.CultureInfo.InvariantCulture, $"directory {directory}\n");
        }

        return $"""
            #!/bin/sh
            # Makes this machine a host of the portal. Run it as root. It adds an account without a password, one rule for sudo, one program and the
            # portal's key; the key can do nothing but run that program. Run again it brings all of it up to date. To take it away:
            #   nft delete table bridge portal; userdel --remove {User}; rm -r /etc/sudoers.d/portal-host /etc/portal-host.conf /usr/local/lib/portal /var/lib/portal-host
            set -eu
            [ "$(id -u)" = 0 ] || {Braced("echo 'Run this as root.' >&2; exit 1;")}
            for program in sudo perl {(volumeGroups.Count > 0 ? "lvs" : "losetup")} xl nft; do
                command -v "$program" >/dev/null || {Braced("""echo "There is no $program here. Install it, then run this again." >&2; exit 1;""")}
            done
            home=$(getent passwd {User} | cut -d: -f6)
            [ -z "$home" ] || [ "$home" = /var/lib/portal-account ] || {Braced($"""echo "There is an account {User} already, which is not the portal's. Rename it, then run this again." >&2; exit 1;""")}
            id -u {User} >/dev/null 2>&1 || useradd --system --create-home --home-dir /var/lib/portal-account --shell /bin/sh {User}
            install -d -m 755 /usr/local/lib/portal
            cat >{Program}.new <<'END-OF-PORTAL-HOST'
            {Text().TrimEnd('\n')}
            END-OF-PORTAL-HOST
            chmod 755 {Program}.new
            mv {Program}.new {Program}
            cat >/etc/portal-host.conf.new <<'END-OF-CONF'
            {conf.ToString().TrimEnd('\n')}
            END-OF-CONF
            # What this machine's administrator lets the portal adopt stays allowed.
            if [ -f /etc/portal-host.conf ]; then grep '^adopt ' /etc/portal-host.conf >>/etc/portal-host.conf.new || true; fi
            mv /etc/portal-host.conf.new /etc/portal-host.conf
            echo '{User} ALL=(root) NOPASSWD: {Program} ""' >/etc/sudoers.d/portal-host.new
            chmod 440 /etc/sudoers.d/portal-host.new
            visudo -cq -f /etc/sudoers.d/portal-host.new
            mv /etc/sudoers.d/portal-host.new /etc/sudoers.d/portal-host
            install -d -m 700 -o {User} -g {User} /var/lib/portal-account/.ssh
            printf '%s\n' {ShellQuote.Word($"restrict,command=\"exec sudo -n {Program}\" {key.Line}")} >/var/lib/portal-account/.ssh/authorized_keys
            chown {User}:{User} /var/lib/portal-account/.ssh/authorized_keys
            chmod 600 /var/lib/portal-account/.ssh/authorized_keys
            echo "This machine is ready for the portal."

            """;

        static string Braced(string text) => $"{{ {text} }}";
    }

    private static string Text()
    {
        using var stream = typeof(HostInstall).Assembly.GetManifestResourceStream("portal-host") ?? throw new InvalidOperationException("portal-host is not in the program.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("^[0-9a-f]{8}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Mark();
}
