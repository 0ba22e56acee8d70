import Foundation
import Frames

/// Small picture files: some by hand from the tables of the formats, some as other programs wrote them.
enum PictureFiles {
  private static func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] { SampleFiles.le(value) }

  /// 5 x 7 numbers from -200 on in steps of 37: what the files by other programs hold, each in its own type.
  static let ramp: [Int] = (0..<35).map { $0 * 37 - 200 }

  // MARK: By hand

  /// One uncompressed strip behind the directory: TIFF 6.0, sections 2 and 8. `pixels` are in the order of the file.
  static func tiff(rows: Int, columns: Int, depth: Int, format: Int, _ pixels: [UInt8], isBigEndian: Bool = false) -> [UInt8] {
    func word<T: FixedWidthInteger>(_ value: T) -> [UInt8] { isBigEndian ? le(value).reversed() : le(value) }
    func long(_ tag: UInt16, _ value: Int) -> [UInt8] { word(tag) + word(4 as UInt16) + word(1 as UInt32) + word(UInt32(value)) }
    func short(_ tag: UInt16, _ value: Int) -> [UInt8] {
      word(tag) + word(3 as UInt16) + word(1 as UInt32) + word(UInt16(value)) + [0, 0]
    }
    let entries = [
      long(256, columns), long(257, rows), short(258, depth), short(259, 1), short(262, 1), long(273, 8 + 2 + 10 * 12 + 4), short(277, 1),
      long(278, rows), long(279, pixels.count), short(339, format),
    ]
    return (isBigEndian ? [0x4D, 0x4D, 0, 42] : [0x49, 0x49, 42, 0]) + word(8 as UInt32) + word(UInt16(entries.count))
      + entries.flatMap { $0 } + word(0 as UInt32) + pixels
  }

  /// One block of an ESRF data format file; `fields` beside the extents.
  static func edf(_ type: String, columns: Int, rows: Int, _ pixels: [UInt8], order: String = "LowByteFirst", _ fields: String = "") -> [UInt8] {
    var header = "{\nHeaderID = EH:000001:000000:000000 ;\nByteOrder = \(order) ;\nDataType = \(type) ;\nDim_1 = \(columns) ;\n"
    header += "Dim_2 = \(rows) ;\nSize = \(pixels.count) ;\n\(fields)"
    header += String(repeating: " ", count: 510 - header.utf8.count) + "}\n"
    return Array(header.utf8) + pixels
  }

  static func smv(_ type: String, columns: Int, rows: Int, _ pixels: [UInt8], order: String = "little_endian", _ fields: String = "") -> [UInt8] {
    var header = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=\(order);\nTYPE=\(type);\nSIZE1=\(columns);\nSIZE2=\(rows);\n\(fields)}\n"
    header += String(repeating: " ", count: 512 - header.utf8.count)
    return Array(header.utf8) + pixels
  }

  static func cbfSection(_ type: String, columns: Int, rows: Int, _ data: [UInt8], conversion: String = "x-CBF_BYTE_OFFSET") -> [UInt8] {
    let mime = """
      ;
      --CIF-BINARY-FORMAT-SECTION--
      Content-Type: application/octet-stream;
           conversions="\(conversion)"
      Content-Transfer-Encoding: BINARY
      X-Binary-Size: \(data.count)
      X-Binary-ID: 1
      X-Binary-Element-Type: "\(type)"
      X-Binary-Element-Byte-Order: LITTLE_ENDIAN
      X-Binary-Number-of-Elements: \(rows * columns)
      X-Binary-Size-Fastest-Dimension: \(columns)
      X-Binary-Size-Second-Dimension: \(rows)


      """
    return Array(mime.utf8) + [0x0C, 0x1A, 0x04, 0xD5] + data + Array("\n--CIF-BINARY-FORMAT-SECTION----\n;".utf8)
  }

  /// The header of a Pilatus, then pixels 1, 2, -126, 300, 70000, -2, 3, 3, 3, 0, 0, 1: every length of difference but the longest.
  static let cbf: [UInt8] =
    Array(
      """
      ###CBF: VERSION 1.5, CBFlib v0.7.8
      data_test
      _array_data.header_convention "PILATUS_1.2"
      _array_data.header_contents
      ;
      # Detector: PILATUS 300K, S/N 3-0101
      # 2013-05-02T17:01:02.123
      # Pixel_size 172e-6 m x 172e-6 m
      # Exposure_time 0.2500000 s
      # Wavelength 1.5418 A
      # Detector_distance 0.10000 m
      # N_excluded_pixels = 3
      ;
      _diffrn_radiation_wavelength.wavelength 1.25
      _array_data.data

      """.utf8)
    + cbfSection(
      "signed 32-bit integer", columns: 4, rows: 3,
      [1, 1, 0x80, 0x80, 0xFF, 0x80, 0xAA, 0x01, 0x80, 0x00, 0x80] + le(Int32(69700)) + [0x80, 0x00, 0x80] + le(Int32(-70002))
        + [5, 0, 0, 0xFD, 0, 1])
  static let cbfPixels: [Int32] = [1, 2, -126, 300, 70000, -2, 3, 3, 3, 0, 0, 1]

  /// A data element of a level 5 MAT file: MathWorks, "MAT-File Format", chapter 1.
  static func element(_ kind: UInt32, _ data: [UInt8]) -> [UInt8] {
    if (1...4).contains(data.count) { return le(UInt32(data.count) << 16 | kind) + data + [UInt8](repeating: 0, count: 4 - data.count) }
    return le(kind) + le(UInt32(data.count)) + data + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  /// A matrix without padding behind it.
  static func matrix(_ kind: UInt32, _ extents: [Int32], name: String = "", _ parts: [UInt8], flags: UInt32 = 0) -> [UInt8] {
    let body = element(6, le(kind | flags << 8) + le(0 as UInt32)) + element(5, extents.flatMap { le($0) }) + element(1, Array(name.utf8)) + parts
    return le(14 as UInt32) + le(UInt32(body.count)) + body
  }

  static let matlabHeader: [UInt8] =
    Array("MATLAB 5.0 MAT-file, by hand".utf8) + [UInt8](repeating: 0x20, count: 88) + [UInt8](repeating: 0, count: 8) + le(0x0100 as UInt16)
    + [0x49, 0x4D]

  /// `data.img` is [[1, 2, 3], [4, 5, 6]], stored by columns as unsigned bytes of a 16-bit class.
  static let matlab: [UInt8] = {
    let names = ["img", "name", "pulseId", "res"]
    let fields = [
      matrix(11, [2, 3], element(2, [1, 4, 2, 5, 3, 6])), matrix(4, [1, 4], element(16, Array("YAG1".utf8))),
      matrix(13, [1, 1], element(6, le(123 as UInt32))), matrix(6, [1, 1], element(9, SampleFiles.le([4.5]))),
    ]
    let table = names.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: 8 - $0.utf8.count) }
    return matlabHeader
      + matrix(2, [1, 1], name: "data", element(5, le(8 as Int32)) + element(1, table) + fields.flatMap { $0 })
  }()

  // MARK: By other programs, in base 64

  private static func decoded(_ text: String) -> [UInt8] {
    guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else { preconditionFailure("no base 64") }
    return [UInt8](data)
  }

  /// tifffile 2026.3.3: two pages of u8, ramp mod 251 and ramp mod 13 (Python's), LZW, with a description.
  static let lzwPages = decoded(
    """
    SUkqAAgAAAAOAAABBAABAAAABwAAAAEBBAABAAAABQAAAAIBAwABAAAACAAAAAMBAwABAAAABQAAAAYBAwABAAAAAQAAAA4BAgAnAAAAtgAAABEBBAABAAAA
    8AAAABUBAwABAAAAAQAAABYBBAABAAAABQAAABcBBAABAAAAKgAAABoBBQABAAAA3gAAABsBBQABAAAA5gAAACgBAwABAAAAAQAAADEBAgACAAAAeAAAABoB
    AAAjIEV4cG9zdXJlX3RpbWUgMC41IHMKIyBEZXRlY3RvcjogVEVTVAAAAQAAAAEAAAABAAAAAQAAAAAAgAzLB9UTHdgWHZgQqqZ70DxDNCNWTXAImJZwSq6b
    4JFxTPCdYTnCI2gIDAAAAQQAAQAAAAcAAAABAQQAAQAAAAUAAAACAQMAAQAAAAgAAAADAQMAAQAAAAUAAAAGAQMAAQAAAAEAAAARAQQAAQAAAMABAAAVAQMA
    AQAAAAEAAAAWAQQAAQAAAAUAAAAXAQQAAQAAAB4AAAAaAQUAAQAAALABAAAbAQUAAQAAALgBAAAoAQMAAQAAAAEAAAAAAAAAAQAAAAEAAAABAAAAAQAAAIAC
    AMBAEAAWCQOBQGAQYCoFBINCIVDIdA4LB4TAQA==
    """)

  /// tifffile 2026.3.3: the ramp as i16 in a 16 x 16 tile, deflate.
  static let tiles = decoded(
    """
    SUkqAAgAAAAPAAABBAABAAAABwAAAAEBBAABAAAABQAAAAIBAwABAAAAEAAAAAMBAwABAAAACAAAAAYBAwABAAAAAQAAABUBAwABAAAAAQAAABoBBQABAAAA
    wgAAABsBBQABAAAAygAAACgBAwABAAAAAQAAADEBAgACAAAAeAAAAEIBBAABAAAAEAAAAEMBBAABAAAAEAAAAEQBBAABAAAA4AAAAEUBBAABAAAAXQAAAFMB
    AwABAAAAAgAAAAAAAAABAAAAAQAAAAEAAAABAAAAAAAAAAAAAAAAAAAAAAB4nLP4H/u/6f/y/2f+f/wvxoAJrBkSGFoZVjGcZ/jCIMmIKW/HmMzYwbiW8RLj
    d0YZJkx5R6Y0pm6mDUxXmX4xyTNjyrswZzL3MW9mvsH8l1mJhWEU0BkAACw8GNA=
    """)

  /// tifffile 2026.3.3: half the ramp as f32, deflate with the floating-point predictor, strips of 2 rows.
  static let reals = decoded(
    """
    SUkqAAgAAAAPAAABBAABAAAABwAAAAEBBAABAAAABQAAAAIBAwABAAAAIAAAAAMBAwABAAAACAAAAAYBAwABAAAAAQAAABEBBAADAAAAwgAAABUBAwABAAAA
    AQAAABYBBAABAAAAAgAAABcBAwADAAAAzgAAABoBBQABAAAA1AAAABsBBQABAAAA3AAAACgBAwABAAAAAQAAADEBAgACAAAAeAAAAD0BAwABAAAAAwAAAFMB
    AwABAAAAAwAAAAAAAADwAAAAHQEAAEMBAAAtACYAJwABAAAAAQAAAAEAAAABAAAAAAAAAAAAAAAAAAAAeJw7xMDA8P9/Y/vtm9vmKThcYEAGjowgknFliKuq
    qqrEF7BYQwNEDgDCkgwBeJxzZgCDO0LCQMhT2QAGDBDgDKF8OTm5ODk5Kx0gACIIAPxoCAF4nAEcAOP/QwAAAAAAAY0JCQkKCQX8QEBAQEAAwAAAAAAAADdl
    BAE=
    """)

  /// tifffile 2026.3.3: ramp + 200 as u32, big-endian BigTIFF.
  static let bigTIFF = decoded(
    """
    TU0AKwAIAAAAAAAAAAAAEAAAAAAAAAANAQAABAAAAAAAAAABAAAABwAAAAABAQAEAAAAAAAAAAEAAAAFAAAAAAECAAMAAAAAAAAAAQAgAAAAAAAAAQMAAwAA
    AAAAAAABAAEAAAAAAAABBgADAAAAAAAAAAEAAQAAAAAAAAERABAAAAAAAAAAAQAAAAAAAAEwARUAAwAAAAAAAAABAAEAAAAAAAABFgAEAAAAAAAAAAEAAAAF
    AAAAAAEXABAAAAAAAAAAAQAAAAAAAACMARoABQAAAAAAAAABAAAAAQAAAAEBGwAFAAAAAAAAAAEAAAABAAAAAQEoAAMAAAAAAAAAAQABAAAAAAAAATEAAgAA
    AAAAAAACeAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAlAAAASgAAAG8AAACUAAAAuQAAAN4AAAEDAAABKAAAAU0AAAFyAAABlwAAAbwAAAHh
    AAACBgAAAisAAAJQAAACdQAAApoAAAK/AAAC5AAAAwkAAAMuAAADUwAAA3gAAAOdAAADwgAAA+cAAAQMAAAEMQAABFYAAAR7AAAEoAAABMUAAATq
    """)

  /// scipy 1.17.1, savemat: a compressed camera structure whose `img` is ramp + 200 as u16.
  static let camera = decoded(
    """
    TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFNhdCBOb3YgMjEgMDk6Mzk6MTAgMjAyNgAAAAAAAAAAAAAAAAAAAAAA
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAA/gAAAHic42NgYNBgYmBgA9IcQAxkggErlM8IxywMKYkliaxAmhMqZgbEmbnpEA15
    ibmpYEZJMdSIgtKc4lTPFAaGolSoUFpmTklwSWIJkMkHxBUMCHu50ewF0exQe0CABYjdwCxmRjYmTmYeFlUGDUZtJj1mQxYvBl/GAKZg5jCWfIYixlKmCuZq
    likM0xlnMc1lXsCyk2EP436mQ8xHWe4xPGR8wvSc+RULxH4HJPtZsPibF8l+ASjf2dE3yMrHPdTPysjQAOoPCyRz2HCGHwRwQsVBYHujmiNIvwGSfl4C+tmA
    LjVhZSTb3lkzQUDIAd1eTiz6mZD0M0FTBgA2pSpG
    """)

  /// fabio 2026.6.0: a hundred times the ramp as i32, with an MD5 digest.
  static let fabioCBF = decoded(
    """
    IyMjQ0JGOiBWRVJTSU9OIDEuNSwgRmFiSU8gdmVyc2lvbiAyMDI2LjYuMCAoMTUvMDYvMjAyNikgLSBFdXJvcGVhbiBTeW5jaHJvdHJvbiBSYWRpYXRpb24g
    RmFjaWxpdHksIEdyZW5vYmxlLCBGcmFuY2UNCmRhdGFfYQ0KX2FycmF5X2RhdGEuZGF0YQ0KOw0KLS1DSUYtQklOQVJZLUZPUk1BVC1TRUNUSU9OLS0NCkNv
    bnRlbnQtVHlwZTogYXBwbGljYXRpb24vb2N0ZXQtc3RyZWFtOw0KICAgICBjb252ZXJzaW9ucz0ieC1DQkZfQllURV9PRkZTRVQiDQpDb250ZW50LVRyYW5z
    ZmVyLUVuY29kaW5nOiBCSU5BUlkNClgtQmluYXJ5LVNpemU6IDEwNQ0KWC1CaW5hcnktSUQ6IDENClgtQmluYXJ5LUVsZW1lbnQtVHlwZTogInNpZ25lZCAz
    Mi1iaXQgaW50ZWdlciINClgtQmluYXJ5LUVsZW1lbnQtQnl0ZS1PcmRlcjogTElUVExFX0VORElBTg0KQ29udGVudC1NRDU6IEh5cVEvcEExOXl2V0NSS2oz
    ZDhsM3c9PQ0KWC1CaW5hcnktTnVtYmVyLW9mLUVsZW1lbnRzOiAzNQ0KWC1CaW5hcnktU2l6ZS1GYXN0ZXN0LURpbWVuc2lvbjogNw0KWC1CaW5hcnktU2l6
    ZS1TZWNvbmQtRGltZW5zaW9uOiA1DQpYLUJpbmFyeS1TaXplLVBhZGRpbmc6IDENCg0KDBoE1YDgsYB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0
    DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0DoB0Dg0KDQotLUNJRi1CSU5BUlktRk9S
    TUFULVNFQ1RJT04tLS0tDQo7
    """)
}
