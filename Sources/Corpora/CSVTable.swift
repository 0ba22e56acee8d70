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
    var rows: [[String]] = [], row: [String] = [], field: [UInt8] = []
    var quoted = false, wasQuoted = false
    let bytes = Array(text.utf8)
    var i = 0
    func closeField() {
      row.append(String(decoding: field, as: UTF8.self))
      field.removeAll(keepingCapacity: true)
      wasQuoted = false
    }
    func closeRow() {
      closeField()
      if row != [""] { rows.append(row) }
      row.removeAll(keepingCapacity: true)
    }
    while i < bytes.count {
      let byte = bytes[i]
      if quoted {
        if byte == 0x22, i + 1 < bytes.count, bytes[i + 1] == 0x22 {
          field.append(byte)
          i += 1
        } else if byte == 0x22 {
          quoted = false
        } else {
          field.append(byte)
        }
      } else if byte == 0x22, field.isEmpty, !wasQuoted {
        (quoted, wasQuoted) = (true, true)
      } else if byte == 0x2C {
        closeField()
      } else if byte == 0x0A {
        closeRow()
      } else if byte == 0x0D, i + 1 < bytes.count, bytes[i + 1] == 0x0A {
        // CR LF counts as one line end.
      } else {
        field.append(byte)
      }
      i += 1
    }
    guard !quoted else {
      throw InputError(path: path, place: "row \(rows.count)", expected: "a closing quote", found: "the end of the file")
    }
    if !field.isEmpty || !row.isEmpty { closeRow() }
    return rows
  }
}
