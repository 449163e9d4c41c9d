using Microsoft.AspNetCore.Components;
using MudBlazor;
using Portal.App.Control;
using Portal.Web.Components.Shared;

namespace Portal.Web.Vms;

/// <summary>Which key of the emergency keyboard? The first in the list does no harm.</summary>
public partial class SysRqDialog : ComponentBase
{
    private readonly string _id = $"sysrq-{Guid.CreateVersion7():N}";
    private string _key = SysRq.Keys[0].Key.ToString();

    /// <summary>The VM's name.</summary>
    [Parameter, EditorRequired]
    public string Name { get; set; } = "";

    [CascadingParameter]
    private IMudDialogInstance Dialog { get; set; } = default!;

    private SysRqKey Chosen => SysRq.Find(_key[0]) ?? SysRq.Keys[0];

    private void Cancel() => Dialog.Cancel();

    private void Press() => Dialog.Close(DialogResult.Ok(Chosen));
}

/// <summary>Asks with <see cref="SysRqDialog"/>.</summary>
public static class SysRqAsking
{
    private static readonly DialogOptions s_options = new() { BackdropClick = false, CloseOnEscapeKey = true, MaxWidth = MaxWidth.ExtraSmall, FullWidth = true };

    /// <summary>The key to press; null where the person thought better of it. A key that harms is asked for once more.</summary>
    public static async Task<char?> AskForSysRqAsync(this IDialogService dialogs, string name)
    {
        var dialog = await dialogs.ShowAsync<SysRqDialog>($"Press SysRq on {name}", new DialogParameters<SysRqDialog> { { d => d.Name, name } }, s_options);
        if (await dialog.Result is not { Canceled: false, Data: SysRqKey key })
        {
            return null;
        }

        return !key.Harms || await dialogs.AskAsync($"Press SysRq {key.Key} on {name}?", $"{key.Words}. Work in the guest may be lost.", $"Press {key.Key} on {name}", dangerous: true) ? key.Key : null;
    }
}
