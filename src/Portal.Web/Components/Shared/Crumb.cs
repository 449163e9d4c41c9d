namespace Portal.Web.Components.Shared;

/// <summary>One step of the way back up from a page.</summary>
public sealed record Crumb(string Text, string Href);
