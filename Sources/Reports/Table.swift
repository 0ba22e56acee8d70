import Foundation

/// Rows and columns, for HTML and for the terminal alike.
public struct Table: Sendable, Hashable {
  public enum Alignment: Sendable, Hashable { case left, right }

  public struct Column: Sendable, Hashable {
    public var title: String
    public var alignment: Alignment

    public init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  public indirect enum Cell: Sendable, Hashable, ExpressibleByStringLiteral {
    case text(String)
    case integer(Int)
    case number(Double, digits: Int)
    /// Value ± standard error.
    case measured(Double, error: Double, digits: Int)
    /// There is a number, but it must not be used: why.
    case withheld(String)
    case missing
    /// Set in bold; on a terminal a star follows.
    case emphasized(Cell)
    /// With a smaller line below; on a terminal in brackets.
    case detailed(Cell, String)

    public init(stringLiteral value: String) { self = .text(value) }

    /// As printed on a terminal.
    public var text: String {
      switch self {
      case .text(let text): text
      case .integer(let value): "\(value)"
      case .number(let value, let digits): decimal(value, digits)
      case .measured(let value, let error, let digits): "\(decimal(value, digits)) ± \(decimal(error, digits))"
      case .withheld(let reason): "withheld: \(reason)"
      case .missing: "–"
      case .emphasized(let cell): cell.text + " *"
      case .detailed(let cell, let detail): cell.text + " (" + detail + ")"
      }
    }
  }

  public var columns: [Column]
  public private(set) var rows: [[Cell]] = []

  public init(_ columns: [Column]) { self.columns = columns }

  /// Traps unless there is a cell for each column.
  public mutating func append(_ row: [Cell]) {
    precondition(row.count == columns.count, "a row of \(row.count) cells in a table of \(columns.count) columns")
    rows.append(row)
  }
}

/// `digits` places after the point; infinities and not-a-number in words.
func decimal(_ value: Double, _ digits: Int) -> String {
  value.isFinite ? String(format: "%.\(digits)f", value) : value.isNaN ? "not a number" : value > 0 ? "∞" : "−∞"
}
