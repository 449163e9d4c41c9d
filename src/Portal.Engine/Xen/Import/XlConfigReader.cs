using System.Text;
using Portal.Kernel;

namespace Portal.Engine.Xen.Import;

/// <summary>Reads the file that a domain is started from, be it xl's or that of the old xm, without running anything of it.</summary>
internal static class XlConfigReader
{
    public const int LargestBytes = 64 * 1024;

    /// <summary>Reads any text: what is not understood is told line by line, and the rest is read. Refused is only a text that is too long.</summary>
    public static Result<ForeignDomain> Read(string text, KnownOnHost known)
    {
        if (Encoding.UTF8.GetByteCount(text) is > LargestBytes and var bytes)
        {
            return new ForeignConfigTooLarge(bytes, LargestBytes);
        }

        var script = ConfigParser.Read(text);
        var draft = new ForeignDraft();
        foreach (var problem in script.Problems)
        {
            draft.Miss(problem);
        }

        var keys = new XlKeys(draft, known);
        foreach (var setting in Settled(script.Settings, draft))
        {
            keys.Take(setting);
        }

        return draft.Finish(known);
    }

    /// <summary>Each key once, with the value that counts: the last, and what was added to it.</summary>
    private static List<ConfigSetting> Settled(IReadOnlyList<ConfigSetting> settings, ForeignDraft draft)
    {
        OrderedDictionary<string, ConfigSetting> last = new(StringComparer.Ordinal);
        foreach (var setting in settings)
        {
            if (!last.TryGetValue(setting.Key, out var before))
            {
                last.Add(setting.Key, setting);
            }
            else if (!setting.Adds)
            {
                draft.Warn($"{setting.Key} is set more than once, in the lines {before.Line} and {setting.Line}; the later counts.");
                last[setting.Key] = setting;
            }
            else if (before.Value is ConfigList list && setting.Value is ConfigList more)
            {
                last[setting.Key] = before with { Value = list with { Items = [.. list.Items, .. more.Items] } };
            }
            else
            {
                draft.Miss(new NotUnderstoodSetting(setting.Line, setting.Key, setting.Value.Shown, "Only a list can be added to a list."));
            }
        }

        return [.. last.Values];
    }
}
