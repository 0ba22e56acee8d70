import Foundation
import Host
import Tensors

/// Reads a PNG file as one event with one payload `[rows, columns]` of the stored counts.
public final class PNGReader: EventReader {
  public static let container = "png"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  public let skipped: [String: Int] = [:]
  private var picture: Event?

  public init(opening path: String) throws(InputError) {
    picture = Event(picture: try PNG.decode([UInt8](AtomicFile.read(path)), path: path), typeName: "png")
  }

  public func next() throws(InputError) -> Event? {
    defer { picture = nil }
    return picture
  }
}

/// Reads a JPEG file as one event with one payload `[rows, columns]` of 8-bit counts.
public final class JPEGReader: EventReader {
  public static let container = "jpeg"

  public static func recognizes(head: [UInt8], path: String) -> Bool { head.starts(with: [0xFF, 0xD8, 0xFF]) }

  public let skipped: [String: Int] = [:]
  private var picture: Event?

  public init(opening path: String) throws(InputError) {
    picture = Event(picture: try JPEG.decode([UInt8](AtomicFile.read(path)), path: path), typeName: "jpeg")
  }

  public func next() throws(InputError) -> Event? {
    defer { picture = nil }
    return picture
  }
}

extension Event {
  /// An event that a picture alone tells of: without time and run.
  fileprivate init(picture: GreyImage, typeName: String) {
    self.init(
      picture: StoredPicture(element: picture.element, shape: [picture.rows, picture.columns], bytes: picture.bytes),
      typeName: typeName, index: 0)
  }
}
