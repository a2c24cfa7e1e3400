-- Blocks with a look of their own, for both renderers: the headline's cards, notes below tables.

local target = FORMAT:match("typst") and "typst" or FORMAT:match("docx") and "docx" or "html"

local function raw_inline(text)
  return pandoc.RawInline(target == "docx" and "openxml" or target, text)
end

local function raw_block(text)
  return pandoc.RawBlock(target == "docx" and "openxml" or target, text)
end

-- Class in the source, function in Typst, style in Word.
local styles = {
  ["headline-card"] = { docx = "Headline" },
  ["table-note"] = { typst = "table-note", docx = "Table Note" },
  ["opening-note"] = { typst = "opening-note", docx = "Table Note" },
  ["data-status"] = { typst = "data-status", docx = "Table Note" },
  ["pull"] = { typst = "pull", docx = "Intense Quote" },
}

-- In the PDF the headline's cards are the arguments of one function, which sets them side by side.
local function headline(div)
  if not (target == "typst" and div.classes:includes("headline")) then
    return nil
  end
  local blocks = pandoc.List({ raw_block("#headline(") })
  for _, card in ipairs(div.content) do
    blocks:insert(raw_block("["))
    blocks:extend(card.content)
    blocks:insert(raw_block("],"))
  end
  blocks:insert(raw_block(")"))
  return blocks
end

local function styled(div)
  for class, style in pairs(styles) do
    if div.classes:includes(class) then
      if target == "typst" and style.typst then
        local blocks = pandoc.List({ raw_block("#" .. style.typst .. "[") })
        blocks:extend(div.content)
        blocks:insert(raw_block("]"))
        return blocks
      elseif target == "docx" and style.docx then
        div.attributes["custom-style"] = style.docx
        return div
      end
    end
  end
  return nil
end

-- The parts of a headline card: its number and what it counts.
local spans = {
  { class = "big", typst = "big", docx = "Headline Number" },
  { class = "what", typst = "what", docx = "Headline Label" },
}

local function card_part(span)
  for _, part in ipairs(spans) do
    if span.classes:includes(part.class) then
      if target == "typst" then
        local inlines = pandoc.List({ raw_inline("#" .. part.typst .. "[") })
        inlines:extend(span.content)
        inlines:insert(raw_inline("]"))
        return inlines
      elseif target == "docx" then
        span.attributes["custom-style"] = part.docx
        return span
      end
    end
  end
  return nil
end

-- Telephone numbers and dates stay on one line, however narrow the screen.
local function unbroken(str)
  if not str.text:match("^%+?%d+%-%d+%-%d+[.,;]?$") then
    return nil
  elseif target == "html" then
    return pandoc.Span({ str }, { class = "unbroken" })
  elseif target == "typst" then
    return { raw_inline("#box["), str, raw_inline("]") }
  end
end

-- The limits of an interval stay on one line, but in a table on a narrow screen, which may break them
-- before the second one.
local function limits(str)
  local first, second = str.text:match("^(.-)\u{a0}(to\u{a0}.+)$")
  if first and target == "html" then
    return pandoc.Span({ pandoc.Str(first), pandoc.Space(), pandoc.Str(second) }, { class = "limits" })
  end
end

-- A row of a table with nothing but its first cell heads the rows below it, over the whole width.
local function heading_rows(tbl)
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      local others = 0
      for position, cell in ipairs(row.cells) do
        local text = pandoc.utils.stringify(cell.contents):gsub("\u{a0}", "")
        if position > 1 and text ~= "" then
          others = others + 1
        end
      end
      if others == 0 and #row.cells > 1 then
        local first = row.cells[1]
        first.col_span = #row.cells
        first.alignment = "AlignLeft"
        row.cells = { first }
        row.attr = pandoc.Attr("", { "group" })
      end
    end
  end
  return tbl:walk({ Str = limits })
end

return {
  {
    Str = unbroken,
    Table = heading_rows,
    Span = card_part,
    Div = function(div)
      return headline(div) or styled(div)
    end,
  },
}
