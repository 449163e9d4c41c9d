namespace Portal.Engine.Tests.Live;

/// <summary>The first sector of a disk that a BIOS starts.</summary>
internal static class BootRecord
{
    /// <summary>Says its line on the serial port, and again for each byte that it hears there.</summary>
    public static byte[] Speaking()
    {
        byte[] record =
        [
            0x31, 0xC0, 0x8E, 0xD8, // xor ax, ax; mov ds, ax
            0xBE, 0x2A, 0x7C, // say: mov si, line
            0xAC, 0x84, 0xC0, 0x74, 0x11, // next: lodsb; test al, al; jz hear
            0x88, 0xC3, 0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x20, 0x74, 0xFB, // mov bl, al; mov dx, 3FDh; busy: in al, dx; test al, 20h; jz busy
            0x88, 0xD8, 0xB2, 0xF8, 0xEE, 0xEB, 0xEA, // mov al, bl; mov dl, F8h; out dx, al; jmp next
            0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x01, 0x74, 0xFB, // hear: mov dx, 3FDh; nothing: in al, dx; test al, 1; jz nothing
            0xB2, 0xF8, 0xEC, 0xEB, 0xDA, // mov dl, F8h; in al, dx; jmp say
            .. "disk login: \0"u8, // line:
        ];
        return [.. record, .. new byte[510 - record.Length], 0x55, 0xAA];
    }
}
