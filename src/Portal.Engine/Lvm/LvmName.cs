using System.Text.RegularExpressions;

namespace Portal.Engine.Lvm;

/// <summary>What LVM takes for the name of a group or a volume (lvm(8), VALID NAMES); portal-host reads its configuration by the same form.</summary>
internal static partial class LvmName
{
    public static bool IsValid(string name) => Form().IsMatch(name) && name is not ("." or "..");

    [GeneratedRegex("^[A-Za-z0-9_.+][A-Za-z0-9_.+-]{0,126}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
