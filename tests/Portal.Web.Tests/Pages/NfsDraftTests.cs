using Portal.App.Templates;
using Portal.Web.Catalogue;

namespace Portal.Web.Tests.Pages;

public sealed class NfsDraftTests
{
    [Fact]
    public void A_directory_that_VMs_share_is_none_that_they_may_write_to()
    {
        var draft = new NfsDraft { Slug = "diskless ", Name = "Diskless", SignIn = "As root.", Server = "192.0.2.10", Path = "/srv/roots/debian" };
        Assert.Null(AddNfsTemplate.Complaint(draft.Request()));

        draft.Writable = true;
        Assert.Contains("%s", AddNfsTemplate.Complaint(draft.Request())?.On("path"), StringComparison.Ordinal);

        draft.Path = "/srv/roots/%s";
        Assert.Null(AddNfsTemplate.Complaint(draft.Request()));
        Assert.NotNull(AddNfsTemplate.Complaint(new NfsDraft().Request())?.On("server"));
    }
}
