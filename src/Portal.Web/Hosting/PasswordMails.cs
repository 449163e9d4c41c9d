using System.Threading.Channels;
using Npgsql;
using Portal.App.Access;

namespace Portal.Web.Hosting;

/// <summary>
/// Mails links for new passwords behind the answer to whoever asked: the answer comes as fast for an address without an account. What was asked for when the
/// portal stops is asked for again by the person.
/// </summary>
public sealed partial class PasswordMails(IServiceScopeFactory scopes, PublicAddress address, ILogger<PasswordMails> logger) : BackgroundService
{
    private readonly Channel<string> _asked = Channel.CreateBounded<string>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ask(string email) => _asked.Writer.TryWrite(email);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var email in _asked.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<Accounts>().MailLinkAsync(email, address.Own, stoppingToken);
            }
            catch (Exception failure) when (failure is NpgsqlException or InvalidOperationException or TimeoutException)
            {
                Failed(logger, failure.Message);
            }
        }
    }

    [LoggerMessage(EventId = 7010, Level = LogLevel.Warning, Message = "A link for a new password could not be mailed: {Problem}")]
    private static partial void Failed(ILogger logger, string problem);
}
