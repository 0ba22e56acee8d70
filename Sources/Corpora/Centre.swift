import Frames
import Host

extension SourceRecipe {
  /// What lies in the middle of a picture: an off-axis beam is a cue of its own to whoever asks about mirror images.
  public enum Centre: Hashable, Sendable {
    /// The origin of an assembled detector's geometry, where the beam meets it.
    case beam
    /// A source pixel, after the crop; halves are allowed.
    case pixel(row: Double, column: Double)

    /// `beam`, or the place.
    var name: String {
      switch self {
      case .beam: "beam"
      case .pixel(let row, let column): "\(row), \(column)"
      }
    }
  }

  /// The place within a picture of that size; `nil` for its middle. Throws outside of it.
  func centrePixel(within height: Int, _ width: Int, path: String) throws(InputError) -> (row: Double, column: Double)? {
    guard case .pixel(let row, let column)? = centre else { return nil }
    return try SourceRecipe.checked((row, column), height, width, name, path)
  }

  /// The same on the canvas of an assembled detector.
  func centrePixel(in assembly: Assembly, path: String) throws(InputError) -> (row: Double, column: Double)? {
    guard case .beam? = centre else { return try centrePixel(within: assembly.height, assembly.width, path: path) }
    let place = (row: -assembly.originMM.x / assembly.pixelSizeMM, column: -assembly.originMM.y / assembly.pixelSizeMM)
    return try SourceRecipe.checked(place, assembly.height, assembly.width, name, path)
  }

  private static func checked(
    _ place: (row: Double, column: Double), _ height: Int, _ width: Int, _ name: String, _ path: String
  ) throws(InputError) -> (row: Double, column: Double) {
    guard place.row >= 0, place.row <= Double(height - 1), place.column >= 0, place.column <= Double(width - 1) else {
      throw InputError(
        path: path, place: "source \(name), centre", expected: "a pixel of \(height)×\(width)", found: "row \(place.row), column \(place.column)")
    }
    return place
  }
}

extension SourceRecipe.Centre: Codable {
  /// `beam`, or `[row, column]`.
  public init(from decoder: any Decoder) throws {
    let box = try decoder.singleValueContainer()
    if let place = try? box.decode([Double].self) {
      guard place.count == 2, place.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
        throw DecodingError.dataCorruptedError(in: box, debugDescription: "expected [row, column], found \(place)")
      }
      self = .pixel(row: place[0], column: place[1])
      return
    }
    let word = try box.decode(String.self)
    guard word == "beam" else {
      throw DecodingError.dataCorruptedError(in: box, debugDescription: "expected beam or [row, column], found \(word)")
    }
    self = .beam
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.singleValueContainer()
    switch self {
    case .beam: try box.encode("beam")
    case .pixel(let row, let column): try box.encode([row, column])
    }
  }
}
