using Portal.App.Ordering;

namespace Portal.Testing.Worlds;

/// <summary>Order forms with something else in them.</summary>
public static class OrderForms
{
    /// <summary>The form with each of its lines changed.</summary>
    public static OrderForm With(this OrderForm form, Func<LineForm, LineForm> change) => form with { Lines = [.. form.Lines.Select(change)] };

    /// <summary>The lines of several forms in one.</summary>
    public static OrderForm And(this OrderForm form, params OrderForm[] others) => form with { Lines = [.. form.Lines, .. others.SelectMany(o => o.Lines)] };
}
