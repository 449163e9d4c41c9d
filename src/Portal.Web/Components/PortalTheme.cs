using MudBlazor;
using MudBlazor.Utilities;

namespace Portal.Web.Components;

/// <summary>
/// The portal's colours and type for MudBlazor. Every role is set: the library's defaults fall below a contrast of 4.5 in several places
/// (white on its success is 2.2). The page gets both palettes at once, the dark one under <c>data-theme=dark</c> on the root element, so that
/// the blocking script in the head can choose before the first paint.
/// </summary>
public static class PortalTheme
{
    private static readonly string[] s_sans = ["Inter", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"];

    public static MudTheme Light { get; } = Make(":root");

    /// <summary>The same theme; its variables hold where the root element says dark.</summary>
    public static MudTheme Dark { get; } = Make(":is(html[data-theme=dark])");

    private static MudTheme Make(string scope) => new()
    {
        PseudoCss = new PseudoCss { Scope = scope },
        PaletteLight = LightPalette(),
        PaletteDark = DarkPalette(),
        Typography = Type(),
        LayoutProperties = new LayoutProperties
        {
            DefaultBorderRadius = "6px",
            DrawerWidthLeft = "232px",
            AppbarHeight = "56px",
        },
    };

    private static PaletteLight LightPalette() => new()
    {
        Black = "#18202A",
        White = "#FFFFFF",
        Primary = "#0F5C70",
        PrimaryContrastText = "#FFFFFF",
        PrimaryDarken = "#0B4656",
        PrimaryLighten = "#DCEEF2",
        Secondary = "#4A5563",
        SecondaryContrastText = "#FFFFFF",
        SecondaryDarken = "#3A434F",
        SecondaryLighten = "#EBEEF2",
        Tertiary = "#5B3AA6",
        TertiaryContrastText = "#FFFFFF",
        TertiaryDarken = "#5B3AA6",
        TertiaryLighten = "#EEE7FA",
        Info = "#1D57B0",
        InfoContrastText = "#FFFFFF",
        InfoDarken = "#1D57B0",
        InfoLighten = "#E3EDFB",
        Success = "#176B39",
        SuccessContrastText = "#FFFFFF",
        SuccessDarken = "#176B39",
        SuccessLighten = "#E2F3E7",
        Warning = "#855000",
        WarningContrastText = "#FFFFFF",
        WarningDarken = "#855000",
        WarningLighten = "#FCEFD5",
        Error = "#B3261E",
        ErrorContrastText = "#FFFFFF",
        ErrorDarken = "#B3261E",
        ErrorLighten = "#FBE5E3",
        Dark = "#18202A",
        DarkContrastText = "#FFFFFF",
        DarkDarken = "#10151B",
        DarkLighten = "#2B3644",
        TextPrimary = "#18202A",
        TextSecondary = "#4A5563",
        TextDisabled = "#667180",
        ActionDefault = "#4A5563",
        ActionDisabled = "#667180",
        ActionDisabledBackground = "#E6EAEE",
        Background = "#F5F7F9",
        BackgroundGray = "#EDF0F3",
        Surface = "#FFFFFF",
        DrawerBackground = "#FFFFFF",
        DrawerText = "#18202A",
        DrawerIcon = "#4A5563",
        AppbarBackground = "#FFFFFF",
        AppbarText = "#18202A",
        LinesDefault = "#DDE2E8",
        LinesInputs = "#7B8695",
        TableLines = "#E4E8ED",
        TableStriped = "#F9FAFB",
        TableHover = "#F1F5F8",
        Divider = "#DDE2E8",
        DividerLight = "#E9EDF1",
        Skeleton = "#E4E9EE",
        GrayDefault = "#667180",
        GrayLight = "#7B8695",
        GrayLighter = "#DDE2E8",
        GrayDark = "#4A5563",
        GrayDarker = "#18202A",
        OverlayDark = new MudColor("#10151B").SetAlpha(0.5).ToString(MudColorOutputFormats.RGBA),
        OverlayLight = new MudColor("#FFFFFF").SetAlpha(0.6).ToString(MudColorOutputFormats.RGBA),
    };

    private static PaletteDark DarkPalette() => new()
    {
        Black = "#10151B",
        White = "#FFFFFF",
        Primary = "#6CC3D9",
        PrimaryContrastText = "#06222B",
        PrimaryDarken = "#8AD0E2",
        PrimaryLighten = "#14323B",
        Secondary = "#AAB5C3",
        SecondaryContrastText = "#10151B",
        SecondaryDarken = "#C3CCD7",
        SecondaryLighten = "#2A333E",
        Tertiary = "#C5AAF6",
        TertiaryContrastText = "#10151B",
        TertiaryDarken = "#C5AAF6",
        TertiaryLighten = "#2D2347",
        Info = "#8DBAFF",
        InfoContrastText = "#10151B",
        InfoDarken = "#8DBAFF",
        InfoLighten = "#1A2E4D",
        Success = "#72D18F",
        SuccessContrastText = "#10151B",
        SuccessDarken = "#72D18F",
        SuccessLighten = "#16331F",
        Warning = "#F0B85E",
        WarningContrastText = "#10151B",
        WarningDarken = "#F0B85E",
        WarningLighten = "#3A2A0E",
        Error = "#FF948C",
        ErrorContrastText = "#10151B",
        ErrorDarken = "#FF948C",
        ErrorLighten = "#43201D",
        Dark = "#2B3644",
        DarkContrastText = "#E7EBF1",
        DarkDarken = "#232C38",
        DarkLighten = "#3A4656",
        TextPrimary = "#E7EBF1",
        TextSecondary = "#AAB5C3",
        TextDisabled = "#8591A0",
        ActionDefault = "#AAB5C3",
        ActionDisabled = "#8591A0",
        ActionDisabledBackground = "#252E39",
        Background = "#11161C",
        BackgroundGray = "#161C23",
        Surface = "#1A2129",
        DrawerBackground = "#1A2129",
        DrawerText = "#E7EBF1",
        DrawerIcon = "#AAB5C3",
        AppbarBackground = "#1A2129",
        AppbarText = "#E7EBF1",
        LinesDefault = "#2E3845",
        LinesInputs = "#75818F",
        TableLines = "#2A333E",
        TableStriped = "#1D252E",
        TableHover = "#212A34",
        Divider = "#2E3845",
        DividerLight = "#252E39",
        Skeleton = "#29323D",
        GrayDefault = "#8591A0",
        GrayLight = "#75818F",
        GrayLighter = "#2E3845",
        GrayDark = "#AAB5C3",
        GrayDarker = "#E7EBF1",
        OverlayDark = new MudColor("#05080B").SetAlpha(0.65).ToString(MudColorOutputFormats.RGBA),
        OverlayLight = new MudColor("#11161C").SetAlpha(0.6).ToString(MudColorOutputFormats.RGBA),
    };

    private static Typography Type() => new()
    {
        Default = new DefaultTypography { FontFamily = s_sans, FontSize = "0.875rem", LineHeight = "1.4286", FontWeight = "400", LetterSpacing = "normal" },
        H1 = new H1Typography { FontFamily = s_sans, FontSize = "1.5rem", LineHeight = "1.3333", FontWeight = "600", LetterSpacing = "-0.01em" },
        H2 = new H2Typography { FontFamily = s_sans, FontSize = "1.125rem", LineHeight = "1.4444", FontWeight = "600", LetterSpacing = "normal" },
        H3 = new H3Typography { FontFamily = s_sans, FontSize = "0.9375rem", LineHeight = "1.4667", FontWeight = "600", LetterSpacing = "normal" },
        H4 = new H4Typography { FontFamily = s_sans, FontSize = "0.9375rem", LineHeight = "1.4667", FontWeight = "600", LetterSpacing = "normal" },
        H5 = new H5Typography { FontFamily = s_sans, FontSize = "0.875rem", LineHeight = "1.4286", FontWeight = "600", LetterSpacing = "normal" },
        H6 = new H6Typography { FontFamily = s_sans, FontSize = "1.125rem", LineHeight = "1.4444", FontWeight = "600", LetterSpacing = "normal" },
        Subtitle1 = new Subtitle1Typography { FontFamily = s_sans, FontSize = "0.875rem", LineHeight = "1.4286", FontWeight = "600", LetterSpacing = "normal" },
        Subtitle2 = new Subtitle2Typography { FontFamily = s_sans, FontSize = "0.8125rem", LineHeight = "1.5385", FontWeight = "600", LetterSpacing = "normal" },
        Body1 = new Body1Typography { FontFamily = s_sans, FontSize = "0.875rem", LineHeight = "1.4286", FontWeight = "400", LetterSpacing = "normal" },
        Body2 = new Body2Typography { FontFamily = s_sans, FontSize = "0.8125rem", LineHeight = "1.5385", FontWeight = "400", LetterSpacing = "normal" },
        Button = new ButtonTypography { FontFamily = s_sans, FontSize = "0.875rem", LineHeight = "1.4286", FontWeight = "500", LetterSpacing = "normal", TextTransform = "none" },
        Caption = new CaptionTypography { FontFamily = s_sans, FontSize = "0.75rem", LineHeight = "1.3333", FontWeight = "400", LetterSpacing = "normal" },
        Overline = new OverlineTypography { FontFamily = s_sans, FontSize = "0.75rem", LineHeight = "1.3333", FontWeight = "500", LetterSpacing = "normal", TextTransform = "none" },
    };
}
