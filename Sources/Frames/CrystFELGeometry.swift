import Foundation
import Host

/// A CrystFEL geometry file: where each rectangle of the stored data ("panel") lies in the laboratory.
///
/// Lines `key = value` and `panel/key = value`, `;` starts a comment; a key without a panel holds for the panels first mentioned
/// after it. x points sideways and y up, seen along the beam; fast scan (fs) is the direction of neighbouring numbers in the file.
/// Source: CrystFEL doc/man/crystfel_geometry.5.md.
public struct CrystFELGeometry: Hashable, Sendable {
  public struct Vector: Hashable, Sendable { public var x = 0.0, y = 0.0, z = 0.0 }

  public struct Panel: Hashable, Sendable {
    public var name: String
    /// Inclusive ranges of the stored data.
    public var minFS = 0, maxFS = -1, minSS = 0, maxSS = -1
    /// Directions of growing fs and ss, in pixels.
    public var fs = Vector(x: 1), ss = Vector(y: 1)
    /// The very corner of the first pixel (not its middle), pixels, and what it lies behind the others, m.
    public var cornerX = 0.0, cornerY = 0.0, offset = 0.0
    /// Pixels a metre.
    public var resolution = 0.0
    /// The index that an axis of the data is fixed at: `dim1 = 3`.
    public var fixedAxes: [Int: Int] = [:]
    public var isIgnored = false
    /// So many pixels at the border are bad.
    public var badEdge = 0

    public var columns: Int { maxFS - minFS + 1 }
    public var rows: Int { maxSS - minSS + 1 }
  }

  /// Pixels to leave out: of one panel by inclusive fs and ss, or anywhere by x and y in pixels.
  public struct BadRegion: Hashable, Sendable {
    public var name: String
    public var panel: String?
    public var fs: ClosedRange<Int>?, ss: ClosedRange<Int>?
    public var x: ClosedRange<Double>?, y: ClosedRange<Double>?
  }

  /// In the order in which they are first mentioned.
  public var panels: [Panel] = []
  public var badRegions: [BadRegion] = []
  /// `rigid_group_…` and `group_…` by name, with what they hold: read, and of no consequence for where pixels are.
  public var groups: [String: [String]] = [:]
  /// Where the file says that the pictures and the masks are.
  public var data: String?, mask: String?, maskFile: String?
  /// Other settings without panel, as written: `clen`, `photon_energy`, `adu_per_eV`, `mask_good`, …
  public var settings: [String: String] = [:]
  /// Keys of panels that are not used, each once.
  public var unusedKeys: Set<String> = []
  /// For messages, and for the digest.
  public var path: String
  public let text: String

  public init(readingFrom path: String) throws(InputError) {
    let data = try AtomicFile.read(path)
    guard let text = String(data: data, encoding: .utf8) else {
      throw InputError(path: path, place: "text", expected: "text in UTF-8", found: "other bytes")
    }
    try self.init(parsing: text, path: path)
  }

  /// Throws with the line number where a value is not what its key needs, and where a panel is not whole.
  public init(parsing text: String, path: String) throws(InputError) {
    self.path = path
    self.text = text
    var usual = Panel(name: ""), places: [String: Int] = [:], regions: [String: [String: String]] = [:], order: [String] = []
    for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = raw.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces.union(.controlCharacters))
      if line.isEmpty { continue }
      let place = "line \(number + 1)"
      guard let equals = line.firstIndex(of: "=") else {
        throw InputError(path: path, place: place, expected: "key = value", found: String(line.prefix(40)))
      }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces), value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      guard let slash = key.firstIndex(of: "/") else {
        if try !Self.set(&usual, key, value, path, place) { note(key, value) }
        continue
      }
      let name = String(key[..<slash]), field = String(key[key.index(after: slash)...])
      guard !name.isEmpty else { throw InputError(path: path, place: place, expected: "panel/key = value", found: "no name of a panel") }
      if name.hasPrefix("bad") {
        if regions[name] == nil { order.append(name) }
        regions[name, default: [:]][field] = value
        continue
      }
      if places[name] == nil {
        places[name] = panels.count
        var panel = usual
        panel.name = name
        panels.append(panel)
      }
      if try !Self.set(&panels[places[name] ?? 0], field, value, path, place) { unusedKeys.insert(field) }
    }
    for name in order { badRegions.append(try Self.region(name, regions[name] ?? [:], panels, path)) }
    try check()
  }

  private mutating func note(_ key: String, _ value: String) {
    switch key {
    case "data": data = value
    case "mask", "mask0_data": mask = value
    case "mask_file", "mask0_file": maskFile = value
    case _ where key.hasPrefix("rigid_group_") || key.hasPrefix("group_"):
      groups[key] = value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    default: settings[key] = value
    }
  }

  /// Whether `field` is one that places pixels.
  private static func set(
    _ panel: inout Panel, _ field: String, _ value: String, _ path: String, _ place: String
  ) throws(InputError) -> Bool {
    func whole() throws(InputError) -> Int {
      guard let number = Double(value), let whole = Int(exactly: number), abs(whole) < 1 << 24 else {
        throw InputError(path: path, place: "\(place), \(field)", expected: "a whole number", found: value)
      }
      return whole
    }
    func number() throws(InputError) -> Double {
      guard let number = Double(value), number.isFinite else {
        throw InputError(path: path, place: "\(place), \(field)", expected: "a number", found: value)
      }
      return number
    }
    switch field {
    case "min_fs": panel.minFS = try whole()
    case "max_fs": panel.maxFS = try whole()
    case "min_ss": panel.minSS = try whole()
    case "max_ss": panel.maxSS = try whole()
    case "fs": panel.fs = try vector(value, path, "\(place), fs")
    case "ss": panel.ss = try vector(value, path, "\(place), ss")
    case "corner_x": panel.cornerX = try number()
    case "corner_y": panel.cornerY = try number()
    case "coffset": panel.offset = try number()
    case "res": panel.resolution = try number()
    case "no_index": panel.isIgnored = value == "1" || value == "true"
    case "mask_edge_pixels": panel.badEdge = try whole()
    case _ where field.hasPrefix("dim"):
      guard let axis = Int(field.dropFirst(3)) else { return false }
      if let index = Int(value) { panel.fixedAxes[axis] = index } else if ["%", "ss", "fs"].contains(value) { panel.fixedAxes[axis] = nil } else {
        throw InputError(path: path, place: "\(place), \(field)", expected: "%, ss, fs or a number", found: value)
      }
    default: return false
    }
    return true
  }

  /// `+0.002x -0.99y`: a sum of multiples of x, y and z.
  private static func vector(_ text: String, _ path: String, _ place: String) throws(InputError) -> Vector {
    var vector = Vector(), number = ""
    for character in text where character != " " && character != "\t" {
      guard "xyz".contains(character) else {
        number.append(character)
        continue
      }
      let factor: Double? = ["", "+"].contains(number) ? 1.0 : number == "-" ? -1.0 : Double(number)
      guard let value = factor, value.isFinite else { throw InputError(path: path, place: place, expected: "a vector such as +0.002x -0.99y", found: text) }
      switch character {
      case "x": vector.x += value
      case "y": vector.y += value
      default: vector.z += value
      }
      number = ""
    }
    guard number.isEmpty, vector != Vector() else {
      throw InputError(path: path, place: place, expected: "a vector such as +0.002x -0.99y", found: text)
    }
    return vector
  }

  private static func region(_ name: String, _ fields: [String: String], _ panels: [Panel], _ path: String) throws(InputError) -> BadRegion {
    func range<T: Comparable>(_ axis: String, _ number: (String) -> T?) throws(InputError) -> ClosedRange<T>? {
      guard let low = fields["min_\(axis)"], let high = fields["max_\(axis)"] else {
        guard fields["min_\(axis)"] == nil, fields["max_\(axis)"] == nil else {
          throw InputError(path: path, place: name, expected: "both min_\(axis) and max_\(axis)", found: "one")
        }
        return nil
      }
      guard let a = number(low), let b = number(high), a <= b else {
        throw InputError(path: path, place: name, expected: "a rising range of \(axis)", found: "\(low) to \(high)")
      }
      return a...b
    }
    func whole(_ text: String) -> Int? { Double(text).flatMap { Int(exactly: $0) } }
    let region = BadRegion(
      name: name, panel: fields["panel"], fs: try range("fs", whole), ss: try range("ss", whole), x: try range("x") { Double($0) },
      y: try range("y") { Double($0) })
    let isStored = region.fs != nil && region.ss != nil && region.panel != nil && region.x == nil && region.y == nil
    let isPlace = region.x != nil && region.y != nil && region.fs == nil && region.ss == nil
    guard isStored || isPlace else {
      throw InputError(
        path: path, place: name, expected: "fs and ss ranges with a panel, or x and y ranges", found: fields.keys.sorted().joined(separator: ", "))
    }
    if let panel = region.panel, !panels.contains(where: { $0.name == panel }) {
      throw InputError(path: path, place: name, expected: "a panel that is there", found: panel)
    }
    return region
  }

  private func check() throws(InputError) {
    guard !panels.isEmpty else { throw InputError(path: path, place: "text", expected: "at least one panel", found: "none") }
    for panel in panels {
      guard panel.minFS >= 0, panel.minSS >= 0, panel.maxFS >= panel.minFS, panel.maxSS >= panel.minSS else {
        throw InputError(
          path: path, place: panel.name, expected: "rising ranges of fs and ss from 0",
          found: "fs \(panel.minFS)…\(panel.maxFS), ss \(panel.minSS)…\(panel.maxSS)")
      }
      guard panel.resolution > 0 else {
        throw InputError(path: path, place: panel.name, expected: "res, pixels a metre", found: "\(panel.resolution)")
      }
    }
  }
}
