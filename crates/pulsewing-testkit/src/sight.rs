//! Colours as eyes see them: contrast, and the distance between two, for normal sight and for the common
//! colour-vision deficiencies. Red, green and blue are those of sRGB, 0 to 1.

/// What linear red, green and blue become in an eye.
pub type Matrix = [[f64; 3]; 3];

/// The matrices of normal sight and of the deficiencies: Machado, Oliveira and Fernandes 2009, severity 1.
pub const SIGHTS: [(&str, Matrix); 4] = [
    ("all", NORMAL),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// Normal sight.
pub const NORMAL: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Returns a colour whose channels are given as bytes.
pub fn of_bytes(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|channel| f64::from(channel) / 255.0)
}

fn linear(rgb: [f64; 3]) -> [f64; 3] {
    rgb.map(|c| match c {
        ..=0.040_45 => c / 12.92,
        _ => ((c + 0.055) / 1.055).powf(2.4),
    })
}

/// Returns the relative luminance (WCAG 2.2), 0 to 1.
pub fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = linear(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Returns the contrast ratio of two colours (WCAG 2.2), 1 to 21.
pub fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

/// Returns a colour as an eye sees it: CIE 1976 L*a*b*, D65. The first number is the lightness.
pub fn lab(sight: Matrix, rgb: [f64; 3]) -> [f64; 3] {
    let rgb = linear(rgb);
    let seen = sight.map(|row| row.iter().zip(rgb).map(|(m, c)| m * c).sum::<f64>());
    let [r, g, b] = seen.map(|c| c.clamp(0.0, 1.0));
    let f = |t: f64| match t {
        ..=0.008_856 => 7.787 * t + 16.0 / 116.0,
        _ => t.cbrt(),
    };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Returns how far apart an eye sees two colours: the distance of CIE 1976.
pub fn apart(sight: Matrix, one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (lab(sight, one), lab(sight, other));
    let squares = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f64>().sqrt()
}
