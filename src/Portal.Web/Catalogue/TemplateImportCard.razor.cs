using Microsoft.AspNetCore.Components.Forms;
using MudBlazor;
using Portal.App.Templates;
using Portal.Engine;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>Where operators bring an image: what is said of it is judged as it is typed, a file is uploaded, and its build follows.</summary>
public partial class TemplateImportCard(UploadImage.Handler uploading, ImportTemplate.Handler importing, ISnackbar snackbar, TimeProvider clock) : PortalPage
{
    private static readonly (ImageFormat Format, string Name, string Fact)[] s_formats =
    [
        (ImageFormat.Qcow2, "qcow2", "QEMU's own, without a backing file"),
        (ImageFormat.Raw, "Raw disk", "byte for byte"),
        (ImageFormat.Tar, "Tarball", "the files of a root file system"),
    ];

    private readonly HashSet<string> _typed = [];
    private ImportDraft _form = new();
    private IBrowserFile? _file;
    private Refusal? _complaint;
    private Refusal? _refusal;
    private ByteSize? _taken;
    private long _shown;
    private bool _open;
    private bool _busy;

    private string? ErrorOf(string field) => (_typed.Contains(field) ? _complaint?.On(field) : null) ?? _refusal?.On(field);

    /// <summary>What was typed counts from now on: fields that nobody has been at yet stay quiet.</summary>
    private void Judge(params ReadOnlySpan<string> fields)
    {
        _refusal = null;
        foreach (var field in fields)
        {
            if (field != "address" || fields.Length == 1 || _form.Address.Length > 0)
            {
                _typed.Add(field);
            }
        }

        _complaint = ImportTemplate.Complaint(_form.Request(null), _form.Uploads);
    }

    private void Choose(ImageFormat format)
    {
        _form.Choose(format);
        Judge();
    }

    private void From(bool uploads)
    {
        _form.Uploads = uploads;
        Judge();
    }

    private void Take(InputFileChangeEventArgs chosen)
    {
        _file = chosen.File;
        Judge("upload");
    }

    private async Task SaveAsync()
    {
        if (_busy)
        {
            return;
        }

        Judge("slug", "name", "description", "signIn", "minMemoryMiB", "minDiskGiB", "boot", "sha256", "upload");
        _typed.Add("address");
        if (_form.Uploads && _file is null)
        {
            _refusal = new App.Access.Invalid("upload", "Choose the file.");
        }

        if (_complaint is not null || _refusal is not null)
        {
            return;
        }

        _busy = true;
        _refusal = await ImportAsync();
        (_busy, _taken) = (false, null);
        if (_refusal is null)
        {
            snackbar.Add($"{_form.Name} is being imported.", Severity.Success);
            Close();
        }
    }

    private async Task<Refusal?> ImportAsync()
    {
        Guid? upload = null;
        if (_form.Uploads && _file is { } file)
        {
            _taken = ByteSize.Zero;
            var uploaded = await AskAsync<UploadedImage>(async (actor, ct) =>
            {
                // How large it may be is the workshop's to say; the browser says how large it is.
                await using var content = file.OpenReadStream(Math.Max(1, file.Size), ct);
                return await uploading.HandleAsync(new UploadImage.Request(content, Show), actor, ct);
            });
            if (!uploaded.TryGet(out var there, out var refusal))
            {
                return refusal;
            }

            upload = there.Id;
        }

        return (await AskAsync<TemplateBuildId>((actor, ct) => importing.HandleAsync(_form.Request(upload), actor, ct))).Refusal;
    }

    // From the thread that writes the file, piece by piece.
    private void Show(ByteSize taken)
    {
        if (clock.GetElapsedTime(Volatile.Read(ref _shown)) < BetweenLooks)
        {
            return;
        }

        Volatile.Write(ref _shown, clock.GetTimestamp());
        Keep(_ => InvokeAsync(() =>
        {
            _taken = taken;
            StateHasChanged();
        }));
    }

    private void Close()
    {
        _open = false;
        (_form, _file, _complaint, _refusal) = (new ImportDraft(), null, null, null);
        _typed.Clear();
    }
}
