/// A table for the terminal or a log: aligned columns, no colours, no trailing spaces.
public struct TextTable: Sendable, CustomStringConvertible {
  public var table: Table
  /// Columns of the terminal; `nil` for as wide as need be (files, pipes).
  public var width: Int?
  /// Sentences below the table, broken between words.
  public var remarks: [String] = []

  /// No text column is made narrower than this.
  private static let narrowest = 8
  private static let gap = "  "

  public init(_ table: Table, width: Int? = nil, remarks: [String] = []) {
    self.table = table
    self.width = width
    self.remarks = remarks
  }

  /// Where the table is too wide, its widest left-aligned columns are shortened, with `…`; numbers never are.
  /// Why a number is withheld stands below the table.
  public var description: String {
    let header = table.columns.map { line($0.title) }
    var reasons: [String] = []
    let rows = table.rows.map { row in
      row.map { cell in
        guard case .withheld(let reason) = cell else { return line(cell.text) }
        let number = reasons.firstIndex(of: reason) ?? reasons.count
        if number == reasons.count { reasons.append(reason) }
        return "withheld [\(number + 1)]"
      }
    }
    var widths = table.columns.indices.map { c in ([header] + rows).reduce(0) { max($0, $1[c].count) } }
    if let width {
      while widths.reduce(0, +) + TextTable.gap.count * max(0, widths.count - 1) > width {
        let shrinkable = widths.indices.filter { table.columns[$0].alignment == .left && widths[$0] > TextTable.narrowest }
        guard let widest = shrinkable.max(by: { widths[$0] < widths[$1] }) else { break }
        widths[widest] -= 1
      }
    }
    let rule = widths.map { String(repeating: "─", count: $0) }
    return ([header, rule] + rows).map { row in
      var text = row.indices.map { cell(row[$0], widths[$0], table.columns[$0].alignment) }.joined(separator: TextTable.gap)
      while text.last == " " { text.removeLast() }
      return text
    }.joined(separator: "\n") + "\n" + reasons.enumerated().map { "[\($0 + 1)] withheld: \(line($1))\n" }.joined()
      + remarks.map { "\n" + broken(line($0)) + "\n" }.joined()
  }

  private func cell(_ text: String, _ width: Int, _ alignment: Table.Alignment) -> String {
    let text = text.count > width ? text.prefix(width - 1) + "…" : text
    let space = String(repeating: " ", count: width - text.count)
    return alignment == .left ? text + space : space + text
  }

  /// Lines no longer than the terminal is wide, as far as words allow; all but the first indented.
  private func broken(_ text: String) -> String {
    guard let width else { return text }
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width { lines[lines.count - 1] += " " + word }
      else { lines.append((lines.isEmpty ? "" : TextTable.gap) + word) }
    }
    return lines.joined(separator: "\n")
  }

  /// One line, free of control characters that could move the cursor.
  private func line(_ text: String) -> String {
    String(
      text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) } ? " " : $0 }
    )
  }
}
