using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Portal.Browser.Tests;

/// <summary>An operator brings an image.</summary>
[Trait("Category", "Live")]
[Collection("One browser at a time")]
public sealed class ImportTests(RunningPortal portal, Browser browser)
{
    [Fact]
    public async Task What_is_typed_is_judged_a_file_is_uploaded_and_its_build_says_what_is_wrong_with_it()
    {
        await using var person = await browser.OpenAsync(portal);
        await person.SignInAsync(Person.Administrator);
        await person.GoAsync("/ops/templates");
        await person.Button("Import an image").ClickAsync();
        var slug = person.Page.GetByLabel("Short name");
        await slug.FillAsync("../etc");
        await Assertions.Expect(slug).ToHaveAttributeAsync("aria-invalid", "true");
        await slug.FillAsync("brought");
        await Assertions.Expect(slug).Not.ToHaveAttributeAsync("aria-invalid", "true");
        var address = person.Page.GetByLabel("Address", new() { Exact = true });
        await address.FillAsync("http://images.example/disk.qcow2");
        await Assertions.Expect(person.Page.GetByText("Over http anybody on the way").First).ToBeVisibleAsync();
        await PictureTests.TakeAsync(person.Page, "import");

        await person.Page.GetByText("A file", new() { Exact = true }).ClickAsync();
        await person.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Brought");
        await person.Page.GetByLabel("How to sign in").Last.FillAsync("With your key.");
        await person.Page.GetByLabel("File", new() { Exact = true }).SetInputFilesAsync(new FilePayload { Name = "disk.qcow2", MimeType = "application/octet-stream", Buffer = new byte[3 << 20] });
        await person.Button("Upload and import").ClickAsync();

        await Assertions.Expect(person.Page.GetByText("It is no qcow2 image.").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await PictureTests.TakeAsync(person.Page, "import-refused");
    }

    [Fact]
    public async Task A_root_on_a_server_is_judged_as_it_is_typed_and_added_on_a_phone_as_well()
    {
        await using var person = await browser.OpenAsync(portal, 390);
        await person.SignInAsync(Person.Administrator);
        await person.GoAsync("/ops/templates");
        await person.Button("Add an NFS root").ClickAsync();
        await person.Page.GetByLabel("Short name").FillAsync("diskless");
        await person.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Diskless");
        await person.Page.GetByLabel("How to sign in").Last.FillAsync("As root.");
        var (server, directory) = (person.Page.GetByLabel("Server", new() { Exact = true }), person.Page.GetByLabel("Directory", new() { Exact = true }));
        await server.FillAsync("nfs.example");
        await directory.FillAsync("/srv/../etc");
        foreach (var field in new[] { server, directory })
        {
            await Assertions.Expect(field).ToHaveAttributeAsync("aria-invalid", "true");
        }

        await server.FillAsync("192.0.2.10");
        await directory.FillAsync("/srv/roots/debian");
        await person.Page.GetByText("Goes to the server", new() { Exact = true }).ClickAsync();
        await Assertions.Expect(server).Not.ToHaveAttributeAsync("aria-invalid", "true");
        await Assertions.Expect(person.Page.GetByText("Two VMs must not write to one directory").First).ToBeVisibleAsync();
        await PictureTests.TakeAsync(person.Page, "nfs-root");

        await directory.FillAsync("/srv/roots/%s");
        await person.Button("^Add$").ClickAsync();
        await Assertions.Expect(person.Page.GetByText("192.0.2.10:/srv/roots/%s").First).ToBeVisibleAsync();

        // The journeys choose from what is offered.
        await person.Button("Change Diskless").ClickAsync();
        await person.Page.GetByRole(AriaRole.Radio, new() { NameRegex = new Regex("^Not offered") }).CheckAsync();
        await person.Button("Save").ClickAsync();
        await Assertions.Expect(person.Button("Change Diskless")).ToBeVisibleAsync();
    }
}
