using Microsoft.AspNetCore.Components;
using Portal.App.Ordering;
using Portal.Kernel;
using Portal.Web.Components;

namespace Portal.Web.Ordering;

/// <summary>The talk on an order: comments both ways, questions and their answers.</summary>
public partial class OrderComments(CommentOnOrder.Handler commenting) : PortalPage
{
    private Refusal? _refusal;
    private string? _text;
    private string? _problem;
    private bool _busy;

    [Parameter, EditorRequired]
    public GetOrder.Details Order { get; set; } = default!;

    /// <summary>Something was written: what is shown has to be read again.</summary>
    [Parameter]
    public EventCallback Written { get; set; }

    private async Task WriteAsync(bool question)
    {
        if (_busy)
        {
            return;
        }

        _busy = true;
        var done = await AskAsync<Done>((actor, ct) => commenting.HandleAsync(new CommentOnOrder.Request(Order.Row.Id, _text ?? "", question), actor, ct));
        _busy = false;
        _problem = done.Refusal is { Field: "text" } wrong ? wrong.Message : null;
        _refusal = _problem is null ? done.Refusal : null;
        if (done.Succeeded)
        {
            _text = null;
            await Written.InvokeAsync();
        }
    }
}
