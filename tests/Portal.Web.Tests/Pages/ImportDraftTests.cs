using Portal.App.Templates;
using Portal.Engine;
using Portal.Web.Catalogue;

namespace Portal.Web.Tests.Pages;

public sealed class ImportDraftTests
{
    [Fact]
    public void A_tarball_starts_with_its_kernel_and_what_was_chosen_before_stays_otherwise()
    {
        var draft = new ImportDraft();
        Assert.Equal(ImageBoot.Disk, draft.Boot);

        draft.Choose(ImageFormat.Tar);
        Assert.Equal((ImageFormat.Tar, ImageBoot.Kernel), (draft.Format, draft.Boot));

        draft.Boot = ImageBoot.Disk;
        draft.Choose(ImageFormat.Raw);
        Assert.Equal((ImageFormat.Raw, ImageBoot.Disk), (draft.Format, draft.Boot));
    }

    [Fact]
    public void A_file_is_judged_before_it_is_uploaded_and_an_address_that_was_typed_first_is_forgotten()
    {
        var draft = new ImportDraft { Slug = "alma-10", Name = "Alma 10", SignIn = "As almalinux with your key.", Address = "https://images.example/alma.qcow2", Uploads = true };

        Assert.Null(ImportTemplate.Complaint(draft.Request(null), draft.Uploads));
        Assert.Null(draft.Request(null).Address);

        draft.Uploads = false;
        Assert.Null(ImportTemplate.Complaint(draft.Request(null), draft.Uploads));
        Assert.Null(draft.Request(Guid.CreateVersion7()).Upload);
        Assert.NotNull(ImportTemplate.Complaint(new ImportDraft().Request(null))?.On("slug"));
    }
}
