using MudBlazor;
using Portal.App.Templates;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Catalogue;

/// <summary>Where operators say of an NFS server's directory that VMs have their root there: judged as it is typed.</summary>
public partial class TemplateNfsCard(AddNfsTemplate.Handler adding, ISnackbar snackbar) : PortalPage
{
    private readonly HashSet<string> _typed = [];
    private NfsDraft _form = new();
    private Refusal? _complaint;
    private Refusal? _refusal;
    private bool _open;
    private bool _busy;

    private string? ErrorOf(string field) => (_typed.Contains(field) ? _complaint?.On(field) : null) ?? _refusal?.On(field);

    /// <summary>What was typed counts from now on: fields that nobody has been at yet stay quiet.</summary>
    private void Judge(params ReadOnlySpan<string> fields)
    {
        _refusal = null;
        foreach (var field in fields)
        {
            _typed.Add(field);
        }

        _complaint = AddNfsTemplate.Complaint(_form.Request());
    }

    private void Choose(bool writable)
    {
        _form.Writable = writable;
        Judge();
    }

    private async Task SaveAsync()
    {
        if (_busy)
        {
            return;
        }

        Judge("slug", "name", "description", "signIn", "minMemoryMiB", "server", "path");
        if (_complaint is not null)
        {
            return;
        }

        _busy = true;
        _refusal = (await AskAsync<TemplateId>((actor, ct) => adding.HandleAsync(_form.Request(), actor, ct))).Refusal;
        _busy = false;
        if (_refusal is null)
        {
            snackbar.Add($"{_form.Name} is on offer as soon as a Xen host has its kernel.", Severity.Success);
            Close();
        }
    }

    private void Close()
    {
        _open = false;
        (_form, _complaint, _refusal) = (new NfsDraft(), null, null);
        _typed.Clear();
    }
}
