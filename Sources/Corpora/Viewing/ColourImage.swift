import Frames

/// An 8-bit picture, red-green-blue by row.
public struct ColourImage: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// `3·height·width` bytes.
  public private(set) var bytes: [UInt8]

  public struct Colour: Sendable, Equatable {
    public var red: UInt8, green: UInt8, blue: UInt8
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }
    public static func grey(_ value: UInt8) -> Colour { Colour(value, value, value) }
  }

  public init(height: Int, width: Int, filledWith colour: Colour) {
    precondition(height > 0 && width > 0, "a picture has pixels")
    (self.height, self.width) = (height, width)
    bytes = []
    bytes.reserveCapacity(3 * height * width)
    for _ in 0..<height * width { bytes += [colour.red, colour.green, colour.blue] }
  }

  public subscript(row: Int, column: Int) -> Colour {
    get {
      let i = 3 * (row * width + column)
      return Colour(bytes[i], bytes[i + 1], bytes[i + 2])
    }
    set {
      let i = 3 * (row * width + column)
      (bytes[i], bytes[i + 1], bytes[i + 2]) = (newValue.red, newValue.green, newValue.blue)
    }
  }

  /// Draws capital letters, digits and a few signs, 4×5 cells of `scale` pixels each, cut off at the border.
  public mutating func draw(_ text: String, row: Int, column: Int, scale: Int, _ colour: Colour) {
    var left = column
    for character in text.uppercased() {
      let lines = ColourImage.glyphs[character] ?? 0xFFFFF
      for y in 0..<5 {
        for x in 0..<4 where lines >> UInt32(19 - 4 * y - x) & 1 == 1 {
          for r in row + y * scale..<row + (y + 1) * scale where r < height {
            for c in left + x * scale..<left + (x + 1) * scale where c < width { self[r, c] = colour }
          }
        }
      }
      left += 5 * scale
    }
  }

  /// The width that `draw` needs.
  public static func textWidth(_ text: String, scale: Int) -> Int { text.count * 5 * scale }

  /// Five rows of four cells, one hexadecimal digit a row.
  private static let glyphs: [Character: UInt32] = [
    "A": 0x69F99, "B": 0xE9E9E, "C": 0x78887, "D": 0xE999E, "E": 0xF8E8F, "F": 0xF8E88, "G": 0x78B97, "H": 0x99F99,
    "I": 0xE444E, "J": 0x11196, "K": 0x9ACA9, "L": 0x8888F, "M": 0x9FF99, "N": 0x9DB99, "O": 0x69996, "P": 0xE9E88,
    "Q": 0x699B7, "R": 0xE9EA9, "S": 0x7861E, "T": 0xE4444, "U": 0x99996, "V": 0x999A4, "W": 0x99FF9, "X": 0x99699,
    "Y": 0x99644, "Z": 0xF124F, "0": 0x6BD96, "1": 0x4C44E, "2": 0xE168F, "3": 0xE161E, "4": 0x99F11, "5": 0xF8E1E,
    "6": 0x68E96, "7": 0xF1244, "8": 0x69696, "9": 0x69716, " ": 0x00000, "-": 0x00E00, "_": 0x0000F, ".": 0x00004,
    ":": 0x04040, "/": 0x11248, "(": 0x24442, ")": 0x42224, "=": 0x0E0E0, "+": 0x04E40, "<": 0x12421, ">": 0x42124,
    ",": 0x00048, "%": 0x91248, ";": 0x04048, "!": 0x44404, "?": 0x69204, "'": 0x44000, "\"": 0xAA000, "*": 0x0A4A0, "#": 0xAFAFA, "|": 0x44444,
    "[": 0x74447, "]": 0xE222E, "{": 0x24C42, "}": 0x42324, "×": 0x09690, "±": 0x4E40E, "°": 0x69600, "·": 0x00400, "−": 0x00E00, "–": 0x00F00,
    "→": 0x02F20, "Σ": 0xF848F, "Μ": 0x9FF99,
  ]
}

extension ColourImage {
  /// The picture as a PNG file.
  public func png() -> [UInt8] { PNG.encode(rgb: bytes, rows: height, columns: width) }
}
