using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class SshPublicKeyTests
{
    private const string Real = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@example";

    private static readonly Gen<string> s_type = Gen.OneOf("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com");

    [Fact]
    public void A_real_key_with_the_fingerprint_that_ssh_keygen_prints()
    {
        Assert.True(SshPublicKey.TryParse($"  {Real}\n", out var key));
        Assert.Equal(Real, key.Line);
        Assert.Equal("ada@example", key.Comment);
        Assert.Equal("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", key.Fingerprint);
    }

    [Fact]
    public void A_key_is_read_where_its_blob_says_the_same_type() => Gen.Select(s_type, s_type, Gen.Byte.Array[1, 300]).Sample((said, inside, body) =>
        Assert.Equal(said == inside, SshPublicKey.TryParse(LineOf(said, inside, body), out _)));

    [Fact]
    public void A_comment_changes_the_line_and_not_the_fingerprint() => Gen.Select(s_type, Gen.Byte.Array[1, 60], Gen.Char.AlphaNumeric.Array[1, 20]).Sample((type, body, comment) =>
    {
        var line = LineOf(type, type, body);
        Assert.True(SshPublicKey.TryParse(line, out var plain));
        Assert.True(SshPublicKey.TryParse($"{line}   {new string(comment)}", out var commented));
        Assert.Equal(plain.Fingerprint, commented.Fingerprint);
        Assert.Equal($"{line} {new string(comment)}", commented.Line);
        Assert.True(SshPublicKey.TryParse(commented.Line, out var again));
        Assert.Equal(commented, again);
    });

    [Fact]
    public void Whatever_is_pasted_is_answered() => Gen.String.Sample(text => Assert.Equal(SshPublicKey.TryParse(text, out var key), key != default));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ssh-ed25519")]
    [InlineData("ssh-ed25519 not-base64")]
    [InlineData("ssh-ed25519 AAAA")]
    [InlineData("ssh-dss AAAAB3NzaC1kc3MAAAAA")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----")]
    [InlineData("command=\"rm\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a\nssh-ed25519 AAAA b")]
    public void What_is_no_single_public_key_is_refused(string? text) => Assert.False(SshPublicKey.TryParse(text, out _));

    [Fact]
    public void A_line_has_an_end() => Assert.False(SshPublicKey.TryParse(Real + new string('x', SshPublicKey.MaxLength), out _));

    // No attribute: a half has no place in its metadata either.
    [Fact]
    public void Half_a_character_is_refused() => Assert.False(SshPublicKey.TryParse(Real + '\ud83d', out _));

    private static string LineOf(string said, string inside, byte[] body)
    {
        var blob = new byte[4 + inside.Length + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(blob, inside.Length);
        Encoding.ASCII.GetBytes(inside, blob.AsSpan(4));
        body.CopyTo(blob, 4 + inside.Length);
        return $"{said} {Convert.ToBase64String(blob)}";
    }
}
