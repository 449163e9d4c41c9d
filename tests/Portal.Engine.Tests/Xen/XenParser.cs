using System.Runtime.InteropServices;
using System.Text;

namespace Portal.Engine.Tests.Xen;

/// <summary>
/// A configuration as Xen's own parser reads it: libxlutil of Debian's libxenmisc4.17, the one that `xl create` calls (libxlutil.h). A quote that
/// stays open, or a NUL, it answers with abort(): nothing may come here that was not checked to have neither.
/// </summary>
internal sealed partial class XenParser : IDisposable
{
    private const string Util = "libxlutil.so.4.17";
    private const string Light = "libxenlight.so.4.17";

    // libxl_device_disk of libxl_types.idl: backend_domid, backend_domname, pdev_path, vdev, backend, format, script, removable, readwrite, is_cdrom.
    private const int DiskLength = 512; // more than it has
    private const int PathAt = 16;
    private const int DeviceAt = 24;
    private const int FormatAt = 36;
    private const int ScriptAt = 40;
    private const int WritableAt = 52;
    private const int CdromAt = 56;

    private const int MaxComplaint = 4096;

    private readonly nint _complaint = Marshal.AllocHGlobal(MaxComplaint);
    private readonly nint _report;
    private readonly nint _config;

    /// <exception cref="FormatException">The parser refuses it; the message is what it said.</exception>
    public XenParser(string config)
    {
        _report = OpenMemory(_complaint, MaxComplaint, "w");
        _config = Init(_report, "config");
        var bytes = Encoding.UTF8.GetBytes(config);
        if (ReadData(_config, bytes, bytes.Length) != 0)
        {
            _ = Flush(_report);
            var why = Marshal.PtrToStringUTF8(_complaint);
            Dispose();
            throw new FormatException(why);
        }
    }

    public string? Text(string name) => GetString(_config, name, out var value, 0) == 0 ? Marshal.PtrToStringUTF8(value) : null;

    public long? Number(string name) => GetLong(_config, name, out var value, 0) == 0 ? value : null;

    public IReadOnlyList<string> List(string name) => GetList(_config, name, out var list, out var count, 0) == 0
        ? [.. Enumerable.Range(0, count).Select(i => Marshal.PtrToStringUTF8(GetListItem(list, i)) ?? throw new FormatException($"{name}[{i}] is no string."))]
        : throw new FormatException($"{name} is no list.");

    /// <summary>One of the strings of `disk`, as xl reads it in turn (xl-disk-configuration(5)).</summary>
    /// <exception cref="FormatException">The parser refuses it.</exception>
    public XenDisk Disk(string text)
    {
        var disk = Marshal.AllocHGlobal(DiskLength);
        InitDisk(disk);
        try
        {
            return ParseDisk(_config, 1, [text], disk) == 0
                ? new XenDisk(
                    Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(disk, PathAt)),
                    Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(disk, DeviceAt)),
                    (XenDiskFormat)Marshal.ReadInt32(disk, FormatAt),
                    Marshal.ReadInt32(disk, WritableAt) != 0,
                    Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(disk, ScriptAt)))
                {
                    Cdrom = Marshal.ReadInt32(disk, CdromAt) != 0,
                }
                : throw new FormatException(text);
        }
        finally
        {
            DisposeDisk(disk);
            Marshal.FreeHGlobal(disk);
        }
    }

    public void Dispose()
    {
        Destroy(_config);
        _ = Close(_report);
        Marshal.FreeHGlobal(_complaint);
    }

    [LibraryImport(Util, EntryPoint = "xlu_cfg_init", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Init(nint report, string name);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_readdata")]
    private static partial int ReadData(nint config, byte[] data, int length);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_get_string", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetString(nint config, string name, out nint value, int doNotWarn);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_get_long", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetLong(nint config, string name, out long value, int doNotWarn);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_get_list", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetList(nint config, string name, out nint list, out int count, int doNotWarn);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_get_listitem")]
    private static partial nint GetListItem(nint list, int index);

    [LibraryImport(Util, EntryPoint = "xlu_disk_parse", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ParseDisk(nint config, int count, string[] texts, nint disk);

    [LibraryImport(Util, EntryPoint = "xlu_cfg_destroy")]
    private static partial void Destroy(nint config);

    [LibraryImport(Light, EntryPoint = "libxl_device_disk_init")]
    private static partial void InitDisk(nint disk);

    [LibraryImport(Light, EntryPoint = "libxl_device_disk_dispose")]
    private static partial void DisposeDisk(nint disk);

    [LibraryImport("libc", EntryPoint = "fmemopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenMemory(nint memory, nint length, string mode);

    [LibraryImport("libc", EntryPoint = "fflush")]
    private static partial int Flush(nint file);

    [LibraryImport("libc", EntryPoint = "fclose")]
    private static partial int Close(nint file);
}

/// <summary>A disk as Xen understood it.</summary>
internal sealed record XenDisk(string? Path, string? Device, XenDiskFormat Format, bool Writable, string? Script = null)
{
    public bool Cdrom { get; init; }
}

/// <summary>libxl_disk_format: only what is written is named.</summary>
internal enum XenDiskFormat
{
    Unknown = 0,
    Raw = 4,
}
