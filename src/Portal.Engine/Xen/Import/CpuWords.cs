using System.Globalization;
using System.Text.RegularExpressions;

namespace Portal.Engine.Xen.Import;

/// <summary>Reads which of the host's processors a domain may run on.</summary>
internal static partial class CpuWords
{
    /// <summary>Pins out of cpus, or out of cpu as xm had it: one list for the whole domain, or one for each of its processors in turn.</summary>
    public static Reading Read(ConfigValue value, out IReadOnlyList<CpuPin> pins)
    {
        pins = [];
        IReadOnlyList<string> lists = value is ConfigList each ? [.. each.Items.Select(item => item.Shown)] : [value.Shown];
        if (!lists.All(list => Cpus().IsMatch(list)))
        {
            return Reading.Not("Processors are written as numbers, spans or nodes: 0-3,^1 or node:0.");
        }

        pins = [.. lists.Select((list, vcpu) => new CpuPin(value is ConfigList ? vcpu : null, list.Replace(" ", "", StringComparison.Ordinal))).Where(pin => pin.Cpus is not ("all" or "-1"))];
        return Reading.Means(MeaningOf(pins));
    }

    public static string MeaningOf(IReadOnlyList<CpuPin> pins) =>
        pins.Count == 0 ? "It may run on any processor of the host." : $"It runs only on the host's processors {string.Join("; ", pins.Select(pin => pin.Cpus))}.";

    /// <param name="perCent">0 for no cap, as Xen has it.</param>
    public static string MeaningOfCap(long perCent) =>
        perCent == 0 ? "It may use its processors fully." : string.Create(CultureInfo.InvariantCulture, $"It may use {perCent} % of one processor.");

    [GeneratedRegex(@"^(?:-1|(?:all|\^?(?:nodes?:)?\d{1,4}(?:-\d{1,4})?)(?: *, *(?:all|\^?(?:nodes?:)?\d{1,4}(?:-\d{1,4})?))*)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Cpus();
}
