using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Portal.Web.Components.Shared;

/// <summary>One question. The safe answer has the focus; where data is lost for good, the name has to be typed first.</summary>
public partial class ConfirmDialog : ComponentBase
{
    private string? _typed;

    /// <summary>The question: "Force off web-1?".</summary>
    [Parameter, EditorRequired]
    public string Title { get; set; } = "";

    /// <summary>What will happen, what is lost, what goes on costing.</summary>
    [Parameter]
    public string Text { get; set; } = "";

    /// <summary>Verb and object: "Delete web-1".</summary>
    [Parameter, EditorRequired]
    public string Yes { get; set; } = "";

    [Parameter]
    public string No { get; set; } = "Keep it";

    [Parameter]
    public bool Dangerous { get; set; }

    /// <summary>The name that has to be typed; null where a click is enough.</summary>
    [Parameter]
    public string? NameToType { get; set; }

    [CascadingParameter]
    private IMudDialogInstance Dialog { get; set; } = default!;

    private bool MayConfirm => NameToType is null || string.Equals(_typed?.Trim(), NameToType, StringComparison.Ordinal);

    private void Cancel() => Dialog.Cancel();

    private void Confirm() => Dialog.Close(DialogResult.Ok(true));
}

/// <summary>Asks with <see cref="ConfirmDialog"/>.</summary>
public static class Asking
{
    private static readonly DialogOptions s_options = new() { BackdropClick = false, CloseOnEscapeKey = true, MaxWidth = MaxWidth.ExtraSmall, FullWidth = true };

    /// <summary>Whether the person said yes.</summary>
    public static Task<bool> AskAsync(this IDialogService dialogs, string title, string text, string yes, bool dangerous = false) =>
        ShowAsync(dialogs, title, text, yes, dangerous, null);

    /// <summary>Whether the person typed the name and said yes.</summary>
    public static Task<bool> AskToDeleteAsync(this IDialogService dialogs, string name, string text) =>
        ShowAsync(dialogs, $"Delete {name}?", text, $"Delete {name}", true, name);

    /// <summary>Whether the person typed the name and said yes to something else than a deletion.</summary>
    public static Task<bool> AskByNameAsync(this IDialogService dialogs, string title, string text, string yes, string name) =>
        ShowAsync(dialogs, title, text, yes, true, name);

    private static async Task<bool> ShowAsync(IDialogService dialogs, string title, string text, string yes, bool dangerous, string? nameToType)
    {
        var parameters = new DialogParameters<ConfirmDialog>
        {
            { d => d.Title, title },
            { d => d.Text, text },
            { d => d.Yes, yes },
            { d => d.Dangerous, dangerous },
            { d => d.NameToType, nameToType },
        };
        var dialog = await dialogs.ShowAsync<ConfirmDialog>(title, parameters, s_options);
        return await dialog.Result is { Canceled: false };
    }
}
