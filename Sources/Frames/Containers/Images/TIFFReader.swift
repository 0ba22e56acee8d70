import CImageCodecs
import Foundation
import Host
import Tensors

/// Reads a TIFF or BigTIFF file, one event a page: integers of 8 to 64 bits and reals of 16 to 64 (16 widened to 32), in strips
/// or tiles, with every compression that libtiff was built with. Reduced versions and masks of other pages are passed over and
/// counted. Colour is accepted where red, green and blue agree in every pixel.
///
/// Texts: `ImageDescription` and its kin by TIFF's names; lines `# name value unit` in the description, as Pilatus detectors
/// write them, are fields of their own.
@safe public final class TIFFReader: EventReader {
  public static let container = "tiff"

  public static func recognizes(head: [UInt8], path: String) -> Bool {
    [[0x49, 0x49, 0x2A, 0], [0x4D, 0x4D, 0, 0x2A], [0x49, 0x49, 0x2B, 0], [0x4D, 0x4D, 0, 0x2B]].contains { head.starts(with: $0) }
  }

  public private(set) var skipped: [String: Int] = [:]
  private let path: String
  private let file: OpaquePointer
  /// No page of this file can decode to more: what its size allows, at 4096 to 1, and never more than 512 MiB.
  private let byteLimit: Int
  private var page = 0
  private var isAtEnd = false
  private var index = 0

  public init(opening path: String) throws(InputError) {
    let size = try SequentialFile(opening: path).byteCount
    self.path = path
    byteLimit = min(8 * GreyImage.pixelLimit, 1 << 20 + min(size, 1 << 40) * 4096)
    var message = [CChar](repeating: 0, count: 300)
    guard let file = unsafe psi_tiff_open(path, Int64(byteLimit), &message, 300) else {
      throw InputError(path: path, place: "page 0", expected: "a TIFF file", found: Self.text(message))
    }
    unsafe self.file = file
  }

  deinit { unsafe psi_tiff_close(file) }

  private static func text(_ message: [CChar]) -> String {
    let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.isEmpty ? "an error without explanation from libtiff" : text
  }

  private func error(_ expected: String, _ found: String) -> InputError {
    InputError(path: path, place: "page \(page)", expected: expected, found: found)
  }

  public func next() throws(InputError) -> Event? {
    var message = [CChar](repeating: 0, count: 300)
    while !isAtEnd {
      var description = psi_tiff_page()
      guard unsafe psi_tiff_describe(file, &description, &message, 300) == 0 else {
        throw error("a described page", Self.text(message))
      }
      let isPart = description.subfile & 0b101 != 0
      let event = isPart ? nil : try picture(description)
      if isPart { skipped["reduced version or mask of another page", default: 0] += 1 }
      switch unsafe psi_tiff_next(file, &message, 300) {
      case 1: page += 1
      case 0: isAtEnd = true
      default: throw InputError(path: path, place: "page \(page + 1)", expected: "a readable page", found: Self.text(message))
      }
      if let event { return event }
    }
    return nil
  }

  private func picture(_ page: psi_tiff_page) throws(InputError) -> Event {
    let rows = Int(page.rows), columns = Int(page.columns), depth = Int(page.depth), channels = Int(page.channels)
    // Both are 32-bit numbers: the product cannot overflow.
    guard rows > 0, columns > 0, rows * columns <= GreyImage.pixelLimit else {
      throw error("1 to \(GreyImage.pixelLimit) pixels", "\(rows)x\(columns)")
    }
    guard page.decodable != 0 else { throw error("a compression that libtiff can undo", "compression \(page.compression)") }
    guard page.photometric <= 2 || page.photometric == 32803 else {
      throw error("a grey picture of counts", "photometric interpretation \(page.photometric)")
    }
    guard channels == 1 || (page.separate == 0 && (3...4).contains(channels) && page.photometric == 2) else {
      throw error("a grey picture of counts", "\(channels) channels\(page.separate == 1 ? ", plane by plane" : "")")
    }
    let stored = try element(page)
    let size = rows * columns * channels * depth / 8
    guard size <= byteLimit else {
      throw error("at most \(byteLimit) bytes from a file of this size", "\(rows)x\(columns)x\(channels) of \(depth) bits")
    }
    var bytes = [UInt8](repeating: 0, count: size), message = [CChar](repeating: 0, count: 300)
    guard unsafe psi_tiff_decode(file, &bytes, size, Int64(byteLimit), &message, 300) == 0 else {
      throw error("\(rows)x\(columns) pixels", Self.text(message))
    }
    if channels > 1 { bytes = try grey(bytes, channels, depth / 8) }
    if depth == 16, stored == .float32 {
      bytes = Float.bytes(littleEndian: UInt16.array(littleEndian: bytes).map { Float(Float16(bitPattern: $0)) })
    }
    defer { index += 1 }
    let picture = StoredPicture(element: stored, shape: [rows, columns], bytes: bytes, header: header(page))
    return Event(picture: picture, typeName: "tiff", index: index)
  }

  private func element(_ page: psi_tiff_page) throws(InputError) -> ElementType {
    switch (page.format, page.depth) {
    case (1, 8), (4, 8): return .uint8
    case (1, 16), (4, 16): return .uint16
    case (1, 32), (4, 32): return .uint32
    case (1, 64), (4, 64): return .uint64
    case (2, 8): return .int8
    case (2, 16): return .int16
    case (2, 32): return .int32
    case (2, 64): return .int64
    case (3, 16), (3, 32): return .float32
    case (3, 64): return .float64
    default:
      let kinds: [UInt16: String] = [1: "unsigned", 2: "signed", 3: "real", 4: "undefined", 5: "complex integer", 6: "complex"]
      throw error(
        "integers of 8, 16, 32 or 64 bits or reals of 16, 32 or 64", "\(page.depth) bits, \(kinds[page.format] ?? "format \(page.format)")")
    }
  }

  /// The first channel where the other colours agree with it.
  private func grey(_ bytes: [UInt8], _ channels: Int, _ size: Int) throws(InputError) -> [UInt8] {
    var grey: [UInt8] = []
    grey.reserveCapacity(bytes.count / channels)
    for start in stride(from: 0, to: bytes.count, by: channels * size) {
      let first = bytes[start..<start + size]
      for channel in 1..<3 where !bytes[start + channel * size..<start + (channel + 1) * size].elementsEqual(first) {
        throw error("a grey picture", "one in colour; counts need a grey picture")
      }
      if channels == 4, !bytes[start + 3 * size..<start + 4 * size].allSatisfy({ $0 == 255 }) {
        throw error("a grey picture", "one with transparent pixels")
      }
      grey += first
    }
    return grey
  }

  /// Text fields of TIFF 6.0 by tag.
  private static let fields: [(tag: UInt32, name: String)] = [
    (270, "ImageDescription"), (271, "Make"), (272, "Model"), (305, "Software"), (306, "DateTime"), (315, "Artist"), (316, "HostComputer"),
  ]

  private func header(_ page: psi_tiff_page) -> HeaderFields {
    var header = HeaderFields()
    for (tag, name) in Self.fields {
      guard let text = unsafe psi_tiff_text(file, tag) else { continue }
      header.add(name, unsafe String(cString: text))
    }
    if let description = header.texts["ImageDescription"], description.hasPrefix("#") { header.addComments(description) }
    if page.photometric == 0 { header.add("PhotometricInterpretation", "white is zero") }
    return header
  }
}
