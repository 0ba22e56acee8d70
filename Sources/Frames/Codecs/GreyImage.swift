import CImageCodecs
import Host

/// A grey picture as counts, exactly as stored: no gamma, no scaling.
public struct GreyImage: Hashable, Sendable {
  public var rows: Int
  public var columns: Int
  /// Bits per stored count: 1, 2, 4, 8 or 16.
  public var depth: Int
  /// Row-major; one byte a count up to 8 bits, else two, little-endian.
  public var bytes: [UInt8]

  /// The counts, row-major.
  public var pixels: [UInt16] { depth == 16 ? UInt16.array(littleEndian: bytes) : bytes.map { UInt16($0) } }

  public var element: ElementType { depth == 16 ? .uint16 : .uint8 }

  /// The greatest number of pixels that is decoded; the largest X-ray cameras have 16 million.
  static let pixelLimit = 1 << 26
}

/// PNG, by the rows of libpng.
public enum PNG {
  /// Decodes a grey picture. Colour is accepted where red, green and blue agree in every pixel, transparency where there is
  /// none; a palette is looked up. Throws for anything else, and for corrupt or truncated files.
  public static func decode(_ bytes: [UInt8], path: String) throws(InputError) -> GreyImage {
    try unsafe Codec.decode(bytes, path: path, "a PNG picture", psi_png_header, psi_png_decode)
  }

  /// A grey picture of 8 bits a pixel. Traps where the counts do not fill it.
  public static func encode(grey pixels: [UInt8], rows: Int, columns: Int) -> [UInt8] {
    unsafe Codec.encode(pixels, rows: rows, columns: columns, depth: 8, channels: 1, psi_png_encode)
  }

  /// A grey picture of 16 bits a pixel. Traps where the counts do not fill it.
  public static func encode(grey pixels: [UInt16], rows: Int, columns: Int) -> [UInt8] {
    unsafe Codec.encode(
      UInt16.bytes(littleEndian: pixels), rows: rows, columns: columns, depth: 16, channels: 1, psi_png_encode)
  }

  /// A colour picture, 3 bytes a pixel: red, green, blue. Traps where the bytes do not fill it.
  public static func encode(rgb pixels: [UInt8], rows: Int, columns: Int) -> [UInt8] {
    unsafe Codec.encode(pixels, rows: rows, columns: columns, depth: 8, channels: 3, psi_png_encode)
  }
}

/// JPEG, by libjpeg.
public enum JPEG {
  /// Decodes a grey picture of 8 bits. Colour is accepted where red, green and blue agree in every pixel. Throws for anything
  /// else, and where data are corrupt or missing.
  public static func decode(_ bytes: [UInt8], path: String) throws(InputError) -> GreyImage {
    try unsafe Codec.decode(bytes, path: path, "a JPEG picture", psi_jpeg_header, psi_jpeg_decode)
  }

  /// A grey picture; `quality` 1...100. Traps where the counts do not fill it.
  public static func encode(grey pixels: [UInt8], rows: Int, columns: Int, quality: Int = 95) -> [UInt8] {
    precondition((1...100).contains(quality), "JPEG qualities are 1...100, not \(quality)")
    return unsafe Codec.encode(pixels, rows: rows, columns: columns, depth: 8, channels: 1) {
      unsafe psi_jpeg_encode($0, $1, Int32(quality), $2, $3, $4, $5)
    }
  }

  /// A colour picture, 3 bytes a pixel, with libjpeg's own halving of the colour planes; `quality` 1...100. Traps where the bytes do
  /// not fill it.
  public static func encode(rgb pixels: [UInt8], rows: Int, columns: Int, quality: Int) -> [UInt8] {
    precondition((1...100).contains(quality), "JPEG qualities are 1...100, not \(quality)")
    return unsafe Codec.encode(pixels, rows: rows, columns: columns, depth: 8, channels: 3) {
      unsafe psi_jpeg_encode($0, $1, Int32(quality), $2, $3, $4, $5)
    }
  }

  /// Red, green and blue of 8 bits, interleaved. Throws for grey pictures and for corrupt ones.
  public static func decodeColour(_ bytes: [UInt8], path: String) throws(InputError) -> (rows: Int, columns: Int, bytes: [UInt8]) {
    let (image, pixels) = try unsafe Codec.samples(bytes, path: path, "a JPEG picture in colour", psi_jpeg_header, psi_jpeg_decode)
    guard image.channels == 3 else {
      throw InputError(path: path, place: "picture", expected: "a JPEG picture in colour", found: "a grey one")
    }
    return (Int(image.rows), Int(image.columns), pixels)
  }
}

/// What both libraries share: two calls to decode, one to encode, all in memory.
private enum Codec {
  typealias Header = (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<psi_image>?, UnsafeMutablePointer<CChar>?, Int) -> Int32
  typealias Decoder = (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<CChar>?, Int) -> Int32
  typealias Encoder = (
    UnsafePointer<UInt8>?, psi_image, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
    UnsafeMutablePointer<CChar>?, Int
  ) -> Int32

  /// The picture's header and all its samples, interleaved.
  static func samples(_ bytes: [UInt8], path: String, _ expected: String, _ header: Header, _ decoder: Decoder)
    throws(InputError) -> (psi_image, [UInt8])
  {
    var message = [CChar](repeating: 0, count: 300)
    func fail(_ found: String) -> InputError { InputError(path: path, place: "picture", expected: expected, found: found) }
    func reason() -> String { String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }

    var image = psi_image()
    guard unsafe header(bytes, bytes.count, &image, &message, message.count) == 0 else { throw fail(reason()) }
    let rows = Int(image.rows), columns = Int(image.columns), channels = Int(image.channels), depth = Int(image.depth)
    // Rows and columns are 32-bit numbers: the product cannot overflow.
    guard rows > 0, columns > 0, rows * columns <= GreyImage.pixelLimit else {
      throw fail("\(rows)x\(columns) pixels; at most \(GreyImage.pixelLimit) are read")
    }
    guard [1, 2, 4, 8, 16].contains(depth) else { throw fail("\(depth) bits a pixel") }
    let size = depth == 16 ? 2 : 1
    var pixels = [UInt8](repeating: 0, count: rows * columns * channels * size)
    guard unsafe decoder(bytes, bytes.count, &pixels, pixels.count, &message, message.count) == 0 else { throw fail(reason()) }
    return (image, pixels)
  }

  static func decode(_ bytes: [UInt8], path: String, _ expected: String, _ header: Header, _ decoder: Decoder)
    throws(InputError) -> GreyImage
  {
    let (image, pixels) = try unsafe samples(bytes, path: path, expected, header, decoder)
    let rows = Int(image.rows), columns = Int(image.columns), channels = Int(image.channels), depth = Int(image.depth)
    let size = depth == 16 ? 2 : 1
    func fail(_ found: String) -> InputError { InputError(path: path, place: "picture", expected: expected, found: found) }
    guard channels > 1 else { return GreyImage(rows: rows, columns: columns, depth: depth, bytes: pixels) }

    // Colour and transparency carry no counts: they must say nothing.
    let colours = channels > 2 ? 3 : 1
    var grey: [UInt8] = []
    grey.reserveCapacity(rows * columns * size)
    for start in stride(from: 0, to: pixels.count, by: channels * size) {
      let first = pixels[start..<start + size]
      for channel in 1..<channels {
        let other = pixels[start + channel * size..<start + (channel + 1) * size]
        let isTransparency = channel >= colours
        guard isTransparency ? other.allSatisfy({ $0 == 255 }) : other.elementsEqual(first) else {
          throw fail(isTransparency ? "one with transparent pixels" : "one in colour; counts need a grey picture")
        }
      }
      grey += first
    }
    return GreyImage(rows: rows, columns: columns, depth: depth, bytes: grey)
  }

  static func encode(_ pixels: [UInt8], rows: Int, columns: Int, depth: Int, channels: Int, _ encoder: Encoder) -> [UInt8] {
    precondition(rows > 0 && columns > 0 && rows < 1 << 16 && columns < 1 << 16, "\(rows)x\(columns) is no size of a picture")
    precondition(pixels.count == rows * columns * channels * depth / 8, "\(pixels.count) bytes do not fill \(rows)x\(columns)")
    let image = psi_image(columns: UInt32(columns), rows: UInt32(rows), depth: Int32(depth), channels: Int32(channels))
    var message = [CChar](repeating: 0, count: 300)
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let status = unsafe encoder(pixels, image, &bytes, &count, &message, message.count)
    // In memory and with sizes checked above, only lack of memory can make this fail.
    guard status == 0, let start = unsafe bytes else {
      preconditionFailure("encoding \(rows)x\(columns): " + String(decoding: message.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    defer { unsafe psi_free(start) }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  }
}
