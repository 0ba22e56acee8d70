import Host

/// Comma-separated values with a header line (RFC 4180: quotes double inside quotes).
package struct CSVTable: Sendable {
  package let header: [String]
  package let rows: [[String]]

  /// Throws where a row's length differs from the header's, a quote is left open, or a column name repeats.
  package init(_ text: String, path: String) throws(InputError) {
    var lines = try CSVTable.fields(text, path: path)
    guard !lines.isEmpty else { throw InputError(path: path, place: "line 1", expected: "a header line", found: "no text") }
    let names = lines.removeFirst()
    if let repeated = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw InputError(path: path, place: "line 1", expected: "different column names", found: "\"\(repeated)\" twice")
    }
    header = names
    for (i, row) in lines.enumerated() where row.count != header.count {
      throw InputError(path: path, place: "row \(i + 1)", expected: "\(header.count) fields", found: "\(row.count)")
    }
    rows = lines
  }

  func column(_ name: String) -> Int? { header.firstIndex(of: name) }

  func column(named name: String, path: String) throws(InputError) -> Int {
    guard let index = column(name) else {
      throw InputError(
        path: path, place: "line 1", expected: "a column \"\(name)\"", found: header.joined(separator: ", "))
    }
    return index
  }

  /// One line of fields, quoted where needed.
  package static func line(_ fields: [String]) -> String {
    fields.map { field in
      field.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }.joined(separator: ",") + "\n"
  }

  private static func fields(_ text: String, path: String) throws(InputError) -> [[String]] {
    var rows: [[String]] = [], parser = CSVParser()
    try parser.feed(Array(text.utf8)) { row throws(InputError) in rows.append(row) }
    try parser.finish(path: path) { row throws(InputError) in rows.append(row) }
    return rows
  }
}

/// Takes text in pieces cut anywhere and gives its rows; empty lines give none.
struct CSVParser {
  private var row: [String] = [], field: [UInt8] = []
  private var isQuoted = false, wasQuoted = false
  /// What the byte before left open: a quote within quotes, or a carriage return outside.
  private var held: UInt8?
  private var rows = 0

  /// The rows of a file, read in pieces of 1 MiB; returns its SHA-256.
  static func rows(ofFileAt path: String, _ body: ([String]) throws(InputError) -> Void) throws(InputError) -> String {
    var parser = CSVParser()
    let digest = try Checksum.sha256(file: path, pieces: 1 << 20) { piece throws(InputError) in
      try parser.feed([UInt8](piece), body)
    }
    try parser.finish(path: path, body)
    return digest
  }

  mutating func feed(_ bytes: [UInt8], _ body: ([String]) throws(InputError) -> Void) throws(InputError) {
    for byte in bytes {
      if held == 0x22 {
        held = nil
        if byte == 0x22 {
          field.append(byte)
          continue
        }
        isQuoted = false
      } else if held == 0x0D {
        held = nil
        // CR LF counts as one line end; a lone CR is text.
        if byte != 0x0A { field.append(0x0D) }
      }
      switch byte {
      case 0x22 where isQuoted: held = byte
      case _ where isQuoted: field.append(byte)
      case 0x22 where field.isEmpty && !wasQuoted: (isQuoted, wasQuoted) = (true, true)
      case 0x2C: closeField()
      case 0x0A: try closeRow(body)
      case 0x0D: held = byte
      default: field.append(byte)
      }
    }
  }

  /// Throws where a quote is left open.
  mutating func finish(path: String, _ body: ([String]) throws(InputError) -> Void) throws(InputError) {
    if held == 0x22 { isQuoted = false } else if held == 0x0D { field.append(0x0D) }
    held = nil
    guard !isQuoted else {
      throw InputError(path: path, place: "row \(rows)", expected: "a closing quote", found: "the end of the file")
    }
    if !field.isEmpty || !row.isEmpty || wasQuoted { try closeRow(body) }
  }

  private mutating func closeField() {
    row.append(String(decoding: field, as: UTF8.self))
    field.removeAll(keepingCapacity: true)
    wasQuoted = false
  }

  private mutating func closeRow(_ body: ([String]) throws(InputError) -> Void) throws(InputError) {
    closeField()
    defer { row.removeAll(keepingCapacity: true) }
    guard row != [""] else { return }
    rows += 1
    try body(row)
  }
}
