import Foundation
import Tensors
import Testing

/// A picture in which every pixel is another number.
func numbered(_ height: Int, _ width: Int) -> Tensor<Int> { Tensor([height, width], Array(0..<height * width)) }

let sizes = [(3, 5), (4, 6), (5, 5), (4, 4), (1, 7), (6, 3)]

@Test(arguments: sizes) func allProductsOfTwoSymmetriesActAsOneAfterTheOther(height: Int, width: Int) {
  let image = numbered(height, width)
  for a in Symmetry.allCases {
    for b in Symmetry.allCases { #expect(a.followed(by: b)(image) == b(a(image)), "\(a) then \(b)") }
    #expect(a.inverse(a(image)) == image)
    #expect(a.followed(by: a.inverse) == .identity)
  }
}

@Test func theEightSymmetriesAreDifferentAndRotationsKeepHandedness() {
  #expect(Set(Symmetry.allCases.map { $0(numbered(3, 3)).elements }).count == 8)
  var turned = Symmetry.identity, rotations: Set<Symmetry> = []
  for _ in 0..<4 {
    rotations.insert(turned)
    turned = turned.followed(by: .quarterTurn)
  }
  #expect(turned == .identity && rotations.count == 4)
  for symmetry in Symmetry.allCases { #expect(symmetry.determinant == (rotations.contains(symmetry) ? 1 : -1)) }
}

/// numpy.rot90([[0,1,2],[3,4,5]]) = [[2,5],[1,4],[0,3]]; numpy.fliplr = [[2,1,0],[5,4,3]].
@Test func quarterTurnAndMirrorAreThoseOfNumpy() {
  #expect(Symmetry.quarterTurn(numbered(2, 3)) == Tensor([3, 2], [2, 5, 1, 4, 0, 3]))
  #expect(Symmetry.mirror(numbered(2, 3)) == Tensor([2, 3], [2, 1, 0, 5, 4, 3]))
  #expect(Symmetry.quarterTurn.inverse(numbered(2, 3)) == Tensor([3, 2], [3, 0, 4, 1, 5, 2]))
}

/// Composition in D4 written out by hand: e, r, r², r³ (quarter turns left), then m (left and right exchanged), m then r, m then r²,
/// m then r³. Row a, column b: a first, b second. From r⁴ = m² = e and r then m = m then r³.
private let composition = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [1, 2, 3, 0, 7, 4, 5, 6],
  [2, 3, 0, 1, 6, 7, 4, 5],
  [3, 0, 1, 2, 5, 6, 7, 4],
  [4, 5, 6, 7, 0, 1, 2, 3],
  [5, 6, 7, 4, 3, 0, 1, 2],
  [6, 7, 4, 5, 2, 3, 0, 1],
  [7, 4, 5, 6, 1, 2, 3, 0],
]

@Test func theEightSymmetriesComposeAsTheTableOfD4Says() {
  let elements = Symmetry.rotations + Symmetry.rotations.map { Symmetry.mirror.followed(by: $0) }
  for (a, row) in composition.enumerated() {
    for (b, product) in row.enumerated() { #expect(elements[a].followed(by: elements[b]) == elements[product], "\(a) then \(b)") }
  }
  #expect(elements.map(\.inverse) == [0, 3, 2, 1, 4, 5, 6, 7].map { elements[$0] })
}

/// A point, a direction and a box go where the pixels go, at square, long, odd and even sizes.
@Test(arguments: sizes) func placesFollowThePixels(height: Int, width: Int) {
  for symmetry in Symmetry.allCases {
    let turned = symmetry(numbered(height, width)), columns = turned.shape[1]
    func place(_ row: Int, _ column: Int) -> SIMD2<Double> {
      let at = turned.elements.firstIndex(of: row * width + column)!
      return SIMD2(Double(at % columns), Double(at / columns))
    }
    for row in 0..<height {
      for column in 0..<width {
        let point = SIMD2(Double(column), Double(row)), moved = symmetry(point, height: height, width: width)
        #expect(moved == place(row, column), "\(symmetry)")
        if column + 1 < width { #expect(symmetry(direction: SIMD2(1, 0)) == place(row, column + 1) - moved) }
        if row + 1 < height { #expect(symmetry(direction: SIMD2(0, 1)) == place(row + 1, column) - moved) }
        // A box from the first pixel to this one holds exactly the pixels that it held.
        let box = PixelBox(rows: -0.5..<Double(row) + 0.5, columns: -0.5..<Double(column) + 0.5)
        let other = symmetry(box, height: height, width: width)
        for i in 0..<height {
          for j in 0..<width {
            let p = place(i, j)
            #expect((i <= row && j <= column) == (other.rows.contains(p.y) && other.columns.contains(p.x)))
          }
        }
      }
    }
  }
}

@Test(arguments: sizes) func placesComposeAsSymmetriesDo(height: Int, width: Int) {
  let point = SIMD2(0.3, 1.7), box = PixelBox(rows: 0.25..<2, columns: -0.5..<1.5)
  for a in Symmetry.allCases {
    let (h, w) = a.transposes ? (width, height) : (height, width)
    for b in Symmetry.allCases {
      let both = a.followed(by: b)
      let p = both(point, height: height, width: width), q = b(a(point, height: height, width: width), height: h, width: w)
      #expect(abs(p.x - q.x) < 1e-12 && abs(p.y - q.y) < 1e-12)
      let c = both(box, height: height, width: width), d = b(a(box, height: height, width: width), height: h, width: w)
      #expect(abs(c.rows.lowerBound - d.rows.lowerBound) < 1e-12 && abs(c.columns.upperBound - d.columns.upperBound) < 1e-12)
    }
  }
}

@Test func groupsAreGeneratedAndAnswersToldApart() {
  #expect(Symmetry.group(generatedBy: []) == [.identity])
  #expect(Symmetry.group(generatedBy: [.quarterTurn]) == Set(Symmetry.rotations))
  #expect(Symmetry.group(generatedBy: [.mirror, .transposition]).count == 8)
  let rotations = Set(Symmetry.rotations), mirrors: Set<Symmetry> = [.identity, .mirror]
  // Handedness survives turning; a mirror exchanges left and right turns; and nothing survives itself.
  #expect(Symmetry.areToldApart([.identity, .mirror], under: rotations))
  #expect(!Symmetry.areToldApart([.identity, .mirror], under: mirrors))
  #expect(!Symmetry.areToldApart(Symmetry.rotations, under: mirrors))
  #expect(Symmetry.areToldApart([.identity, .upsideDown], under: mirrors))
  #expect(!Symmetry.areToldApart([.identity, .transposition], under: Set(Symmetry.allCases)))
  #expect(Symmetry.areToldApart(Symmetry.allCases, under: [.identity]))
}

/// numpy's own index formulas: y[i,j] of fliplr, flipud, rot90, transposition and of the other diagonal, at every size.
@Test(arguments: sizes) func eachSymmetryIsTheIndexFormulaOfNumpy(height: Int, width: Int) {
  let formulas: [(String, (Int, Int) -> (Int, Int))] = [
    ("none", { ($0, $1) }), ("left-right", { ($0, width - 1 - $1) }), ("up-down", { (height - 1 - $0, $1) }),
    ("half-turn", { (height - 1 - $0, width - 1 - $1) }), ("quarter-turn-left", { ($1, width - 1 - $0) }),
    ("quarter-turn-right", { (height - 1 - $1, $0) }), ("transposed", { ($1, $0) }), ("transposed-across", { (height - 1 - $1, width - 1 - $0) }),
  ]
  for (keyword, source) in formulas {
    let symmetry = Symmetry(keyword: keyword)!, turned = symmetry(numbered(height, width))
    #expect(symmetry.keyword == keyword)
    #expect(turned.elements == symmetry.sources(height: height, width: width))
    for i in 0..<turned.shape[0] {
      for j in 0..<turned.shape[1] {
        let (row, column) = source(i, j)
        #expect(turned.elements[i * turned.shape[1] + j] == row * width + column, "\(keyword)")
      }
    }
  }
  #expect(Set(formulas.map { Symmetry(keyword: $0.0)! }).count == 8 && Symmetry(keyword: "sideways") == nil)
}

@Test func symmetriesAreStoredByTheirNamesAndOtherNamesRefused() throws {
  for symmetry in Symmetry.allCases {
    #expect(try JSONDecoder().decode([Symmetry].self, from: JSONEncoder().encode([symmetry])) == [symmetry])
  }
  #expect(throws: DecodingError.self) { try JSONDecoder().decode([Symmetry].self, from: Data(#"["leftright"]"#.utf8)) }
}

/// Tiles of 3×3, cut out by hand.
@Test(arguments: Symmetry.allCases) func tilesAreTurnedInTheirPlaces(symmetry: Symmetry) {
  let image = numbered(9, 9), turned = symmetry(image, tiles: 3)
  for (top, left) in (0..<9).map({ ($0 / 3 * 3, $0 % 3 * 3) }) {
    func tile(_ picture: Tensor<Int>) -> Tensor<Int> {
      Tensor([3, 3], (0..<9).map { picture.elements[(top + $0 / 3) * 9 + left + $0 % 3] })
    }
    #expect(tile(turned) == symmetry(tile(image)))
  }
  #expect(symmetry(image, tiles: 1) == symmetry(image))
}
