import Corpora
import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

struct DetectorCoordinatesTests {
  /// One panel of 12×12 pixels of 1 mm, turned by half a turn: pixel (r, c) lies at x = 11 - r, y = 29 - c mm.
  private static let geometry = """
    # HDR PARENT IND OBJECT IND X0[um] Y0[um] Z0[um] ROT-Z ROT-Y ROT-X TILT-Z TILT-Y TILT-X
    DET:V1 0 MTRX:12:12:1000:1000 0 11000 29000 0 180 0 0 0 0 0
    """

  private func corpus(_ scratch: Scratch, view: String, extra: String = "") throws -> Corpus {
    var runs = StackRuns(runs: [1], shots: 1, height: 12, width: 12)
    runs.pixel = { _, _, row, column in row == 4 && column == 5 ? .nan : Float(20 * row + column) }
    try runs.write(to: scratch)
    try AtomicFile.write(Data(Self.geometry.utf8), to: scratch("geometry.data"))
    let recipe = try runs.recipe(
      image: "{height: 12, width: 30}", split: "{train: 1, validation: 0, test: 0}",
      extra: "fit: inside\n    nonFinite: mask\n    geometry: geometry.data\n    view: \(view)\(extra)", labels: "[]")
    return try CorpusBuilder.build(recipe, relativeTo: scratch.path, to: scratch(view))
  }

  @Test func assembledPixelsKnowTheirPanelAndPlace() throws {
    let scratch = Scratch()
    let corpus = try corpus(scratch, view: "assembled")
    let image = try corpus.image(corpus.records[0])
    let places = try #require(try corpus.detectorCoordinates(for: corpus.records[0]))
    for row in 0..<12 {
      for column in 0..<30 {
        let i = row * 30 + column
        // Margins of 9 columns on both sides.
        guard (9..<21).contains(column) else {
          #expect(places.panel.elements[i] == -1 && image.weight.elements[i] == 0)
          continue
        }
        #expect(places.panel.elements[i] == 0)
        #expect(abs(places.x.elements[i] - Float(row)) < 1e-6)
        #expect(abs(places.y.elements[i] - Float(18 + column - 9)) < 1e-6)
        let (r, c) = (11 - row, 29 - (18 + column - 9))
        #expect(image.weight.elements[i] == (r == 4 && c == 5 ? 0 : 1))
        if image.weight.elements[i] > 0 { #expect(image.pixels.elements[i] == Float(20 * r + c)) }
      }
    }
    #expect(abs(places.centre.x - 5.5) < 1e-6)
    #expect(abs(places.centre.y - 23.5) < 1e-6)
    // x = 3, y = 22 around (0, 18): a triangle of 3, 4, 5.
    #expect(places.radius(from: (0, 18)).elements[3 * 30 + 13] == 5)
    #expect(abs(places.azimuth(around: (0, 18)).elements[3 * 30 + 13] - 53.130102) < 1e-4)
    #expect(places.radius().elements[0].isNaN)
  }

  @Test func croppedPanelsKnowTheirPlace() throws {
    let scratch = Scratch()
    let corpus = try corpus(scratch, view: "panels", extra: "\n    crop: {rows: [2, 8], columns: [0, 12]}")
    #expect(corpus.records.map(\.panel) == [0])
    let places = try #require(try corpus.detectorCoordinates(for: corpus.records[0]))
    // 6×12 inside 12×30: 12×24, so rows and columns double, with margins of 3 columns.
    for row in 0..<12 {
      for column in 0..<30 {
        let i = row * 30 + column
        guard (3..<27).contains(column) else {
          #expect(places.panel.elements[i] == -1)
          continue
        }
        #expect(places.x.elements[i] == Float(11 - (2 + row / 2)))
        #expect(places.y.elements[i] == Float(29 - (column - 3) / 2))
      }
    }
  }

  /// Each corpus pixel is one of the panel's, turned by half a turn; margins show none.
  @Test func pixelsKnowWhatTheyMostlyShow() throws {
    let scratch = Scratch(), corpus = try corpus(scratch, view: "assembled")
    let places = try #require(try corpus.detectorCoordinates(for: corpus.records[0])?.places)
    #expect(places.panelShape == [1, 12, 12])
    for i in places.panel.elements.indices {
      let (row, column) = (i / 30, i % 30), isShown = (9..<21).contains(column)
      #expect(places.panel.elements[i] == (isShown ? 0 : -1))
      let expected: (row: Int, column: Int) = isShown ? (11 - row, 20 - column) : (-1, -1)
      #expect(Int(places.row.elements[i]) == expected.row)
      #expect(Int(places.column.elements[i]) == expected.column)
    }
    #expect(corpus.records[0].chips == (1, 1))
  }

  /// A corpus from before places were stored still tells where its pixels lie; a damaged one says what is wrong.
  @Test func geometriesWithoutPlacesStillLoad() throws {
    let scratch = Scratch(), corpus = try corpus(scratch, view: "assembled"), record = corpus.records[0]
    let own = try #require(try corpus.detectorCoordinates(for: record)), path = "\(corpus.folder)/geometry/\(record.geometry).h5"
    func rewrite(_ extra: (HDF5File) throws -> Void) throws {
      let file = try HDF5File(creating: path)
      try file.write(own.panel.elements, shape: own.panel.shape, to: "/panel")
      try file.write(own.x.elements, shape: own.x.shape, to: "/x_mm")
      try file.write(own.y.elements, shape: own.y.shape, to: "/y_mm")
      try extra(file)
      try file.close()
    }
    try rewrite { _ in }
    let old = try #require(try corpus.detectorCoordinates(for: record))
    #expect(old.places == nil && old.panel == own.panel && old.x == own.x && old.y == own.y)
    try rewrite { file in
      try file.write([1, 12, 12] as [Int32], shape: [3], to: "/panel_shape")
      let wrong = own.panel.elements.map { panel -> Int16 in panel < 0 ? -1 : 99 }
      for name in ["panel", "row", "column"] { try file.write(wrong, shape: own.panel.shape, to: "/shown_\(name)") }
    }
    let error = inputError { _ = try corpus.detectorCoordinates(for: record) }
    #expect(error?.place.contains("shown_panel") == true && error?.found == "[99, 99, 99]")
  }

  @Test func picturesWithoutGeometryHaveNone() throws {
    let scratch = Scratch(), runs = StackRuns()
    try runs.write(to: scratch)
    let corpus = try CorpusBuilder.build(runs.recipe(), relativeTo: scratch.path, to: scratch("c"))
    #expect(try corpus.detectorCoordinates(for: corpus.records[0]) == nil)
  }
}
