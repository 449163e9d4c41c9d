using System.Text;

namespace Portal.Engine.Simulated;

/// <summary>What the make-believe guest says: pure, so the same typing always gives the same answer.</summary>
internal static class SimulatedGuest
{
    private const char Escape = '\e';
    private const char Interrupt = '\x03';
    private const char Delete = '\x7f';
    private const string Kernel = "Linux";

    /// <summary>From the first line of the boot to the login prompt.</summary>
    public static string Boot(SimulatedDomain domain) => Lines(
        "Simulated guest: no real machine",
        $"[    0.000000] {Kernel} version 6.1.0-simulated",
        $"[    0.100000] Memory: {domain.MemoryMiB} MiB, {domain.Vcpus} vCPU",
        $"[    0.900000] eth0: {domain.Address}",
        "") + Prompt(domain);

    /// <summary>What the power button prints.</summary>
    public static string GoDown => "\r\n" + Lines("Going down", "reboot: Power down");

    /// <summary>Takes what was typed, and says what the guest is then and what it printed.</summary>
    public static (SimulatedDomain After, string Printed) Type(SimulatedDomain domain, string typed)
    {
        var printed = new StringBuilder();
        for (var i = 0; i < typed.Length && domain.State == DomainState.Running; i++)
        {
            switch (typed[i])
            {
                case '\r' or '\n':
                    printed.Append("\r\n");
                    domain = Enter(domain, printed);
                    break;
                case '\b' or Delete:
                    if (domain.Typed.Length > 0)
                    {
                        domain = domain with { Typed = domain.Typed[..^1] };
                        printed.Append("\b \b");
                    }

                    break;
                case Interrupt:
                    domain = domain with { Typed = "" };
                    printed.Append("^C\r\n").Append(Prompt(domain));
                    break;
                case Escape:
                    // An arrow key is ESC [ A: nothing to edit here.
                    i += typed.AsSpan(i).StartsWith("\e[") ? 2 : 0;
                    break;
                case >= ' ' and var plain when domain.Typed.Length < 1024:
                    domain = domain with { Typed = domain.Typed + plain };
                    printed.Append(plain);
                    break;
                default:
                    break;
            }
        }

        return (domain, printed.ToString());
    }

    private static SimulatedDomain Enter(SimulatedDomain domain, StringBuilder printed)
    {
        var line = domain.Typed.Trim();
        domain = domain with { Typed = "" };
        if (!domain.SignedIn)
        {
            domain = domain with { SignedIn = line.Length > 0 };
            printed.Append(Prompt(domain));
            return domain;
        }

        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case ["poweroff" or "halt"]:
                printed.Append(GoDown);
                return domain with { State = DomainState.Off, ByGuest = true, SignedIn = false };
            case ["reboot"]:
                domain = domain with { SignedIn = false, Boots = domain.Boots + 1 };
                printed.Append(Lines("reboot: Restarting system")).Append(Boot(domain));
                return domain;
            case ["exit" or "logout"]:
                domain = domain with { SignedIn = false };
                break;
            case []:
                break;
            default:
                printed.Append(Lines(Answer(domain, words)));
                break;
        }

        printed.Append(Prompt(domain));
        return domain;
    }

    private static string Answer(SimulatedDomain domain, string[] words) => words switch
    {
        ["echo", .. var rest] => string.Join(' ', rest),
        ["hostname"] or ["uname", "-n"] => domain.HostName,
        ["uname"] or ["uname", "-s"] => Kernel,
        ["uname", "-r"] => "6.1.0-simulated",
        ["uname", "-a"] => $"{Kernel} {domain.HostName} 6.1.0-simulated x86_64",
        ["whoami"] => "root",
        ["ip", ..] => domain.Address,
        ["help"] => "This guest is simulated. It knows: echo exit help hostname ip poweroff reboot uname whoami",
        _ => $"sh: {words[0]}: not found",
    };

    private static string Prompt(SimulatedDomain domain) => domain.SignedIn ? $"root@{domain.HostName}:~# " : $"{domain.HostName} login: ";

    private static string Lines(params string[] lines) => string.Concat(lines.Select(line => line + "\r\n"));
}
