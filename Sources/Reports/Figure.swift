import Foundation
import Host

/// A figure that gnuplot can draw.
public protocol Figure: Sendable {
  var title: String { get }
  /// Width and height in pixels.
  var size: (width: Int, height: Int) { get }
  /// gnuplot commands, without terminal and house style. Throws where the data cannot be drawn.
  func script() throws(InputError) -> String
}

/// One axis: what it shows and in which unit.
public struct Axis: Sendable, Hashable {
  public enum Scale: Sendable, Hashable { case linear, logarithmic }

  public var label: String
  /// Such as `mm` or `photons`; `nil` for a pure number.
  public var unit: String?
  public var scale: Scale
  /// `nil`: as the data need.
  public var range: ClosedRange<Double>?

  public init(_ label: String, unit: String? = nil, scale: Scale = .linear, range: ClosedRange<Double>? = nil) {
    self.label = label
    self.unit = unit
    self.scale = scale
    self.range = range
  }

  /// Label and unit, as printed: `radius (mm)`.
  public var caption: String { unit.map { "\(label) (\($0))" } ?? label }

  /// Commands for the axis called `x` or `y`, which is to show `values`.
  func commands(_ name: String, showing values: [Double]) -> String {
    var text = "set \(name)label \(Quoted(caption))\(name == "x" ? " offset 0,0.5" : "")\n", range = range
    if scale == .logarithmic {
      text += "set logscale \(name) 10\nset format \(name) '%g'\n"
      let finite = values.filter(\.isFinite)
      if range == nil, let low = finite.min(), let high = finite.max() { range = low * 0.85...high * 1.15 }
      // Within two decades, whole decades alone would leave the axis all but bare.
      if let range, range.upperBound < 100 * range.lowerBound {
        let decades = Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
        let places = decades.flatMap { decade in [1.0, 2, 5].map { $0 * pow(10, Double(decade)) } }
        text += "set \(name)tics (" + places.filter(range.contains).map { "\($0)" }.joined(separator: ",") + ")\n"
      }
    }
    if let range { text += "set \(name)range [\(range.lowerBound):\(range.upperBound)]\n" }
    return text
  }

  /// Throws where a logarithmic axis would have to show what has no logarithm.
  func check(_ values: some Sequence<Double>, of figure: String) throws(InputError) {
    guard scale == .logarithmic else { return }
    for value in values where value <= 0 {
      throw InputError(
        path: "", place: "figure \(figure)", expected: "positive \(label) on a logarithmic axis", found: "\(value)")
    }
  }
}

/// The house style of figures.
public enum Palette {
  /// Colours that stay apart for colour-blind readers. Source: Okabe and Ito, "Color Universal Design", 2008 (without yellow,
  /// which is lost on white).
  public static let categories = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
  /// Dark to light in even steps: viridis.
  static let sequential = ["#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725"]
  /// Blue through white to red, equally dark at both ends. Source: ColorBrewer RdBu.
  static let diverging = ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"]

  static func command(_ colours: [String]) -> String {
    "set palette defined (" + colours.enumerated().map { "\($0) '\($1)'" }.joined(separator: ",") + ")\n"
  }

  static func colour(_ index: Int) -> String { categories[index % categories.count] }
  /// Line patterns tell series apart without colour, and once the colours are used up.
  static func dash(_ index: Int) -> Int { index % 4 + 1 }
}

/// A user's string as a gnuplot string: in single quotes, in which gnuplot runs no command and knows no escape but `''`.
struct Quoted: CustomStringConvertible {
  let description: String

  init(_ text: String) {
    let line = String(
      text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } ? " " : $0 })
    description = "'" + line.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// For tic labels, which gnuplot takes as formats: a percent sign is doubled.
  init(tic text: String) {
    self.init(text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%"))
  }
}

/// `$name << EOD` blocks; a row that holds a number that is not finite becomes a gap.
func dataBlock(_ name: String, _ rows: [[Double]]) -> String {
  let lines = rows.map { row in
    row.allSatisfy(\.isFinite) ? row.map { "\($0)" }.joined(separator: " ") : ""
  }
  return "$\(name) << EOD\n" + lines.joined(separator: "\n") + "\nEOD\n"
}

/// Throws unless there is something to see.
func checkDrawable(_ values: some Sequence<Double>, of figure: String) throws(InputError) {
  guard values.contains(where: \.isFinite) else {
    throw InputError(path: "", place: "figure \(figure)", expected: "at least one finite value", found: "none")
  }
}
