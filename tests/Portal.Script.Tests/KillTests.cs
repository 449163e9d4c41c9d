using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Portal.Script.Tests;

/// <summary>
/// Kill -9 of the portal in the middle of a build on the real engine, while a command of the host is under way: at its start, or done and its answer lost.
/// Stand-ins for the host's programs hold there, so the moment is exact; they run the real ones.
/// </summary>
[Collection(nameof(UpTests))]
[Trait("Category", "Live")]
public sealed class KillTests(BuiltPortal built)
{
    [Theory]
    [InlineData("qemu-img", "create", "before")]
    [InlineData("virsh", "define", "after")]
    [InlineData("virsh", "start", "after")]
    public async Task Killed_in_a_build_and_started_again_the_build_ends_and_leaves_nothing_twice(string program, string verb, string moment)
    {
        var ct = Xunit.TestContext.Current.CancellationToken;
        await using var script = await built.ScriptAsync();
        using var hold = new Hold(script, program);
        await hold.InstallAsync(ct);
        var up = await script.UpAsync("--engine", "libvirt", "--no-install");
        Xunit.TestContext.Current.TestOutputHelper?.WriteLine((await script.RunAnyAsync("virsh", "-c", "qemu:///system", "version")).Out);
        using var first = new Api(up.Port, script);
        await first.ImageIsReadyAsync(ct);
        await hold.AtAsync(verb, moment, ct);

        var vm = await first.OrderAsync(ct);
        await PortalScript.UntilAsync(hold.IsReached, $"{program} {verb}");
        up.Signal("KILL");
        System.Diagnostics.Process.GetProcessById(await PortalScript.FieldAsync(script, "program")).Kill();
        await up.EndsAsync();
        var again = await script.UpAsync("--engine", "libvirt", "--no-install");
        // What the killed portal had begun goes on only now, beside its successor.
        hold.Release();
        using var second = new Api(again.Port, script);

        await second.UntilAsync(vm, "Running", ct);
        var operations = await second.OperationsAsync(vm, ct);
        Assert.Equal(["Build Succeeded"], operations);
        Assert.Single(await DomainsAsync(script));
        Assert.Single(Directory.GetFiles(script.InData("pool/disks")));
        Assert.Equal("2", await QueryAsync(script, $"select count(*) from usage_intervals where vm_id = '{vm}' and \"to\" is null"));
        Assert.Equal("1", await QueryAsync(script, $"select count(*) from addresses where vm_id = '{vm}'"));

        await second.DeleteAsync(vm, ct);
        Assert.Empty(await DomainsAsync(script));
        Assert.Empty(Directory.GetFiles(script.InData("pool/disks")));
        Assert.Empty(Directory.GetFiles(script.InData("pool/seeds")));
        Assert.Equal("0", await QueryAsync(script, $"select count(*) from usage_intervals where vm_id = '{vm}' and \"to\" is null"));
        again.Signal("TERM");
        Assert.Equal(0, await again.EndsAsync());
    }

    private static async Task<IReadOnlyList<string>> DomainsAsync(PortalScript script)
    {
        var instance = (await File.ReadAllTextAsync(script.InData("instance"))).Trim();
        var listed = await script.RunAnyAsync("virsh", "-q", "-c", "qemu:///system", "list", "--all", "--name");
        return [.. listed.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(n => n.StartsWith($"p{instance}-", StringComparison.Ordinal))];
    }

    private static async Task<string> QueryAsync(PortalScript script, string sql) => (await script.RunAsync("pg", "psql", "-Atc", sql)).Out.Trim();

    /// <summary>Stands before one of the host's programs on the portal's PATH and holds the call that it is told to.</summary>
    private sealed class Hold(PortalScript script, string program) : IDisposable
    {
        private readonly string _directory = Path.Combine(script.Home, "tools");

        public async Task InstallAsync(CancellationToken ct)
        {
            Directory.CreateDirectory(_directory);
            var real = (await script.RunAnyAsync("sh", "-c", $"command -v {program}")).Out.Trim();
            Assert.StartsWith("/", real, StringComparison.Ordinal);
            var file = Path.Combine(_directory, program);
            // Taking the order away by its rename lets only one call hold. Whoever holds waits for the test's pipe: no loop, no clock.
            await File.WriteAllTextAsync(file, $"""
                #!/bin/sh
                hold() {'{'} mv {_directory}/order {_directory}/reached 2>/dev/null && cat {_directory}/gate; {'}'}
                read -r verb moment 2>/dev/null <{_directory}/order
                for word; do [ "$word" = "$verb" ] && held=$moment; done
                [ "$held" != before ] || hold
                {real} "$@"
                code=$?
                [ "$held" != after ] || hold
                exit $code

                """, ct);
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
            Assert.Equal(0, (await script.RunAnyAsync("mkfifo", Path.Combine(_directory, "gate"))).Code);
            script.Environment["PATH"] = $"{_directory}:{Environment.GetEnvironmentVariable("PATH")}";
        }

        public async Task AtAsync(string verb, string moment, CancellationToken ct)
        {
            var partial = Path.Combine(_directory, "order.new");
            await File.WriteAllTextAsync(partial, $"{verb} {moment}\n", ct);
            File.Move(partial, Path.Combine(_directory, "order"));
        }

        public bool IsReached() => File.Exists(Path.Combine(_directory, "reached"));

        /// <summary>Whoever waits at the pipe goes on once it was opened to write; opened to read as well, it makes nobody wait here.</summary>
        public void Release() => new FileStream(Path.Combine(_directory, "gate"), FileMode.Open, FileAccess.ReadWrite).Dispose();

        public void Dispose()
        {
            if (File.Exists(Path.Combine(_directory, "gate")))
                Release();
        }
    }

    /// <summary>The portal over its REST interface, as its tenant and its approver.</summary>
    private sealed class Api(int port, PortalScript script) : IDisposable
    {
        private readonly HttpClient _http = new() { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/api/v1/")) };
        private Guid _tenant;

        public async Task ImageIsReadyAsync(CancellationToken ct)
        {
            await SignInAsync("admin@portal.example", ct);
            await UntilAsync(async () => (await GetAsync("setup", ct)).EnumerateArray().Where(s => s.GetProperty("step").GetString() is "Host" or "Template").All(s => s.GetProperty("done").GetBoolean()), ct);
        }

        public async Task<Guid> OrderAsync(CancellationToken ct)
        {
            await SignInAsync("tenant@portal.example", ct);
            var placed = await _http.PostAsJsonAsync($"tenants/{_tenant}/orders", new { lines = new[] { new { template = "tiny-linux", plan = "Nano", name = "killed" } } }, ct);
            var order = (await placed.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("id").GetGuid();
            await SignInAsync("approver@portal.example", ct);
            (await _http.PostAsJsonAsync($"orders/{order}/decision", new { verdict = "Approve" }, ct)).EnsureSuccessStatusCode();
            await SignInAsync("tenant@portal.example", ct);
            return (await GetAsync($"orders/{order}", ct)).GetProperty("vms")[0].GetProperty("id").GetGuid();
        }

        public async Task UntilAsync(Guid vm, string status, CancellationToken ct)
        {
            await SignInAsync("tenant@portal.example", ct);
            await UntilAsync(async () => (await GetAsync($"tenants/{_tenant}/vms/{vm}", ct)).GetProperty("vm").GetProperty("status").GetString() == status, ct);
        }

        public async Task<IReadOnlyList<string>> OperationsAsync(Guid vm, CancellationToken ct) =>
            [.. (await GetAsync($"tenants/{_tenant}/operations?vm={vm}", ct)).EnumerateArray().Select(o => $"{o.GetProperty("kind").GetString()} {o.GetProperty("state").GetString()}")];

        public async Task DeleteAsync(Guid vm, CancellationToken ct)
        {
            (await _http.DeleteAsync(new Uri($"tenants/{_tenant}/vms/{vm}?confirmName=killed", UriKind.Relative), ct)).EnsureSuccessStatusCode();
            await UntilAsync(vm, "Deleted", ct);
        }

        public void Dispose() => _http.Dispose();

        private async Task SignInAsync(string email, CancellationToken ct)
        {
            var accounts = await File.ReadAllLinesAsync(script.InData("accounts.txt"), ct);
            var password = accounts.Single(l => l.Contains(email, StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1];
            var answer = await _http.PostAsJsonAsync("sign-in", new { email, password }, ct);
            var token = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("accessToken").GetString();
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            var memberships = (await GetAsync("me", ct)).GetProperty("memberships");
            _tenant = memberships.GetArrayLength() > 0 ? memberships[0].GetProperty("tenant").GetGuid() : _tenant;
        }

        private async Task<JsonElement> GetAsync(string path, CancellationToken ct) => await _http.GetFromJsonAsync<JsonElement>(path, ct);

        private static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken ct)
        {
            while (!await condition())
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, ct);
        }
    }
}
