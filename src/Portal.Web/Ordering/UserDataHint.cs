using Portal.App.Catalogue;

namespace Portal.Web.Ordering;

/// <summary>What becomes of user data in VMs of a template: it differs from image to image, and that nothing acts on it is better said before it is ordered.</summary>
internal static class UserDataHint
{
    public static string Of(TemplateRow template) => template.FirstBoot switch
    {
        FirstBoot.Script => $"{template.Name} runs it once as root, at the first boot, if it begins with #! (such as #!/bin/sh). What it says goes to the console and to /var/log/owner-data.log. Nothing else is understood.",
        FirstBoot.CloudInit => "Handed to the image's cloud-init beside your keys and the name: #cloud-config, a script that begins with #!, or another of its formats.",
        FirstBoot.Nothing => $"{template.Name} took no notice of its seed when it was tested: nothing in it acts on user data.",
        FirstBoot.Unknown => $"Lies on a small disk of the VM with the label cidata, beside your keys and the name (NoCloud). Whether {template.Name} acts on it, its provider knows.",
    };
}
