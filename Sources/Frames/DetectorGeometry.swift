import Foundation
import Host
import Tensors

/// A geometry of either kind, told apart by what the file says.
public enum DetectorGeometry: Hashable, Sendable {
  case psana(Geometry)
  case crystFEL(CrystFELGeometry)

  /// CrystFEL's where a line gives a `corner_x`, else psana's.
  public init(readingFrom path: String) throws(InputError) {
    let data = try AtomicFile.read(path)
    guard let text = String(data: data, encoding: .utf8) else {
      throw InputError(path: path, place: "", expected: "text in UTF-8", found: "other bytes")
    }
    if text.contains("corner_x") {
      self = .crystFEL(try CrystFELGeometry(parsing: text, path: path))
    } else {
      self = .psana(try Geometry(parsing: text, path: path))
    }
  }

  public var path: String {
    switch self {
    case .psana(let geometry): geometry.path
    case .crystFEL(let geometry): geometry.path
    }
  }

  /// What identifies it: the numbers of a psana geometry as they are written, a CrystFEL file whole.
  public var text: String {
    switch self {
    case .psana(let geometry): geometry.text
    case .crystFEL(let geometry): geometry.text
    }
  }

  public func pixelPositions() throws(InputError) -> PixelPositions {
    switch self {
    case .psana(let geometry): try geometry.pixelPositions()
    case .crystFEL(let geometry): try geometry.pixelPositions()
    }
  }
}
